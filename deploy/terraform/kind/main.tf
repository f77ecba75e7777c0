# A cluster on this machine, to try the manifests: terraform apply, in this folder.

terraform {
  required_version = ">= 1.6"
  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = "~> 2.17"
    }
    kind = {
      source  = "tehcyx/kind"
      version = "~> 0.9"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.35"
    }
  }
}

variable "secrets" {
  description = "As the module streetloop has them."
  type        = map(string)
  sensitive   = true
}

resource "kind_cluster" "streetloop" {
  name           = "streetloop"
  wait_for_ready = true

  kind_config {
    kind        = "Cluster"
    api_version = "kind.x-k8s.io/v1alpha4"

    node {
      role = "control-plane"
    }
    node {
      role = "worker"
    }
  }
}

provider "kubernetes" {
  host                   = kind_cluster.streetloop.endpoint
  client_certificate     = kind_cluster.streetloop.client_certificate
  client_key             = kind_cluster.streetloop.client_key
  cluster_ca_certificate = kind_cluster.streetloop.cluster_ca_certificate
}

provider "helm" {
  kubernetes {
    host                   = kind_cluster.streetloop.endpoint
    client_certificate     = kind_cluster.streetloop.client_certificate
    client_key             = kind_cluster.streetloop.client_key
    cluster_ca_certificate = kind_cluster.streetloop.cluster_ca_certificate
  }
}

module "streetloop" {
  source  = "../streetloop"
  secrets = var.secrets
}
