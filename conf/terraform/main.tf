# Grafana's part of the monitoring by Terraform: a folder, the dashboards, one contact
# point and, where Grafana shall evaluate them, the alert rules.
#
#   terraform init && terraform apply -var grafana_url=https://grafana.example.org
#
# The provider reads its token from GRAFANA_AUTH.  The files are those of this project:
# run it in a checkout, or copy conf/grafana/dashboards and conf/prometheus/rules along.
terraform {
  required_version = ">= 1.3"
  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = ">= 3.0"
    }
  }
}

provider "grafana" {
  url = var.grafana_url
}

resource "grafana_folder" "matillion" {
  title = "Matillion"
  uid   = "matillion"
}

# config_json is the dashboard itself, without the envelope {"dashboard": …} that the
# HTTP API has.
resource "grafana_dashboard" "all" {
  for_each    = fileset("${path.module}/../grafana/dashboards", "*.json")
  folder      = grafana_folder.matillion.uid
  config_json = file("${path.module}/../grafana/dashboards/${each.value}")
}
