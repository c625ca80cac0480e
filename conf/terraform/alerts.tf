# There is no resource `prometheus_rule_group`: Prometheus reads its rules from files.
# Which of these it is depends on who evaluates them:
#
#   Prometheus           rule_files: conf/prometheus/rules, and nothing here
#   its operator         kubernetes_manifest with a PrometheusRule
#   Amazon's managed     aws_prometheus_rule_group_namespace, its data = file(…)
#   Azure's managed      azurerm_monitor_alert_prometheus_rule_group
#   Mimir, Grafana Cloud its ruler's API: mimirtool rules load
#   Grafana              grafana_rule_group, as below: set rule_files

locals {
  # A group's alerts; its recording rules stay in Prometheus.
  groups = merge([
    for name in var.rule_files : {
      for group in yamldecode(file("${path.module}/../prometheus/rules/${name}")).groups :
      group.name => [for rule in group.rules : rule if can(rule.alert)]
    }
  ]...)
}

resource "grafana_contact_point" "on_call" {
  name = "Matillion on call"

  email {
    addresses               = var.on_call
    single_email            = true
    disable_resolve_message = false
  }
}

resource "grafana_rule_group" "matillion" {
  for_each         = { for name, rules in local.groups : name => rules if length(rules) > 0 }
  name             = each.key
  folder_uid       = grafana_folder.matillion.uid
  interval_seconds = 60

  dynamic "rule" {
    for_each = each.value
    content {
      name      = rule.value.alert
      for       = lookup(rule.value, "for", "0s")
      condition = "fires"
      labels    = lookup(rule.value, "labels", {})
      # Grafana's $value is a text of all values; the number of query A is in $values.
      annotations = {
        for name, text in lookup(rule.value, "annotations", {}) :
        name => replace(text, "$value", "$values.A.Value")
      }
      # An expression that returns nothing is in order, as in Prometheus.
      no_data_state  = "OK"
      exec_err_state = "Error"

      notification_settings {
        contact_point = grafana_contact_point.on_call.name
        group_by      = ["alertname", "grafana_folder", "namespace"]
      }

      data {
        ref_id         = "A"
        datasource_uid = var.prometheus_uid
        relative_time_range {
          from = 600
          to   = 0
        }
        model = jsonencode({ refId = "A", expr = rule.value.expr, instant = true })
      }

      # A series that is returned fires, whatever its value: 0 or NaN, too.
      data {
        ref_id         = "B"
        datasource_uid = "__expr__"
        relative_time_range {
          from = 0
          to   = 0
        }
        model = jsonencode({
          refId      = "B"
          type       = "math"
          expression = "is_number($A) || is_nan($A) || is_inf($A)"
        })
      }

      data {
        ref_id         = "fires"
        datasource_uid = "__expr__"
        relative_time_range {
          from = 0
          to   = 0
        }
        model = jsonencode({
          refId      = "fires"
          type       = "threshold"
          expression = "B"
          conditions = [{ evaluator = { type = "gt", params = [0] } }]
        })
      }
    }
  }
}
