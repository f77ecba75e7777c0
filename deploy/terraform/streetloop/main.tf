# What streetloop needs in a cluster: KubeRay's operator, its namespace and its secret. The manifests
# themselves are deploy/kubernetes, applied by kubectl or Argo CD.

terraform {
  required_version = ">= 1.6"
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 2.17"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.35"
    }
  }
}

variable "secrets" {
  description = "Settings that hold passwords or tokens, such as STREETLOOP_LEDGER_URL, by name."
  type        = map(string)
  sensitive   = true

  validation {
    condition     = alltrue([for name in ["STREETLOOP_API_TOKEN", "STREETLOOP_LEDGER_URL"] : contains(keys(var.secrets), name)])
    error_message = "STREETLOOP_API_TOKEN and STREETLOOP_LEDGER_URL are needed."
  }
}

variable "kuberay_version" {
  description = "Version of the chart of KubeRay's operator."
  type        = string
  default     = "1.5.1"
}

resource "helm_release" "kuberay" {
  name             = "kuberay-operator"
  namespace        = "kuberay-system"
  create_namespace = true
  repository       = "https://ray-project.github.io/kuberay-helm"
  chart            = "kuberay-operator"
  version          = var.kuberay_version
}

resource "kubernetes_namespace_v1" "streetloop" {
  metadata {
    name = "streetloop"
    labels = {
      "pod-security.kubernetes.io/enforce" = "restricted"
    }
  }
}

resource "kubernetes_secret_v1" "streetloop" {
  metadata {
    name      = "streetloop"
    namespace = kubernetes_namespace_v1.streetloop.metadata[0].name
  }
  data = var.secrets
}
