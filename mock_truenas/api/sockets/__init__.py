"""The WebSocket faces: JSON-RPC 2.0 and the older DDP-like one, on connections the front lets through."""
