"""The living demo: Northwind Bikes, its mail servers, its customers and two of its people."""
