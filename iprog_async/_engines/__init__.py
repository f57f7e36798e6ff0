"""How bytes travel: connections, HTTP/1.1 and proxies, over httpx or asyncio alone."""
