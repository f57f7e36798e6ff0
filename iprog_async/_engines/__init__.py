"""What puts a request on the wire and reads the answer: httpx, or asyncio's own streams."""
