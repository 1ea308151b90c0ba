"""What officers see of Prometheus: the same panels as its own console pages and as Grafana's JSON."""
