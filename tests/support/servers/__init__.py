"""Servers of several processes: started, asked, hurt, and what they then say and send."""
