"""The console: pages for operations people on the private listener. Server-rendered; every figure is a view's."""
