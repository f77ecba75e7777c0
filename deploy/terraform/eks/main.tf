# A managed Kubernetes on AWS in a VPC that is there: CPU nodes, and GPU nodes from none on.

terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
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

variable "region" {
  description = "AWS region."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the cluster."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the VPC, in two zones at least."
  type        = list(string)
}

variable "cpu_nodes" {
  description = "Most nodes without a GPU; `streetloop plan` estimates how many are needed."
  type        = number
  default     = 4
}

variable "gpu_nodes" {
  description = "Most nodes with a GPU."
  type        = number
  default     = 0
}

variable "gpu_instance" {
  description = "Kind of instance with a GPU."
  type        = string
  default     = "g6.12xlarge"
}

variable "secrets" {
  description = "As the module streetloop has them."
  type        = map(string)
  sensitive   = true
}

provider "aws" {
  region = var.region
}

module "eks" {
  # v20.37.2, by its commit: a tag could be moved.
  source = "git::https://github.com/terraform-aws-modules/terraform-aws-eks.git?ref=8a0efdbbc84180a26e0bacfd2b6fcfceac53b3b6"

  cluster_name    = "streetloop"
  cluster_version = "1.33"
  vpc_id          = var.vpc_id
  subnet_ids      = var.subnet_ids

  cluster_endpoint_public_access           = false
  enable_cluster_creator_admin_permissions = true

  eks_managed_node_groups = {
    cpu = {
      instance_types = ["m7i.8xlarge"]
      min_size       = 1
      desired_size   = 1
      max_size       = var.cpu_nodes
    }
    gpu = {
      ami_type       = "AL2023_x86_64_NVIDIA"
      instance_types = [var.gpu_instance]
      min_size       = 0
      desired_size   = 0
      max_size       = max(var.gpu_nodes, 1)
      taints = {
        gpu = {
          key    = "nvidia.com/gpu"
          value  = "present"
          effect = "NO_SCHEDULE"
        }
      }
    }
  }
}

data "aws_eks_cluster_auth" "streetloop" {
  name = module.eks.cluster_name
}

provider "kubernetes" {
  host                   = module.eks.cluster_endpoint
  cluster_ca_certificate = base64decode(module.eks.cluster_certificate_authority_data)
  token                  = data.aws_eks_cluster_auth.streetloop.token
}

provider "helm" {
  kubernetes {
    host                   = module.eks.cluster_endpoint
    cluster_ca_certificate = base64decode(module.eks.cluster_certificate_authority_data)
    token                  = data.aws_eks_cluster_auth.streetloop.token
  }
}

module "streetloop" {
  source  = "../streetloop"
  secrets = var.secrets
}
