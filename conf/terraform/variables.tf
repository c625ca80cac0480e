variable "grafana_url" {
  type        = string
  description = "Where Grafana answers."
}

variable "on_call" {
  type        = list(string)
  description = "Mail addresses of those who are on call."
  default     = ["on-call@example.org"]
}

variable "prometheus_uid" {
  type        = string
  description = "The uid of the Prometheus data source (conf/grafana/provisioning)."
  default     = "towline-prometheus"
}

variable "rule_files" {
  type        = list(string)
  description = "Files of conf/prometheus/rules whose alerts Grafana evaluates, for instance [\"agents.yml\"]; none where Prometheus does."
  default     = []
}
