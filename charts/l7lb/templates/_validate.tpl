{{/* What no schema can say, and what has to be given: all of it at once, each with what to do. */}}
{{- define "l7lb.validate" -}}
{{- $wrong := list -}}
{{- if not .Values.clusterId -}}
{{- $wrong = append $wrong "clusterId: the id of this cluster is needed: --set clusterId=cls-..." -}}
{{- end -}}
{{- if not .Values.region -}}
{{- $wrong = append $wrong "region: the region of the cluster is needed: --set region=ap-guangzhou" -}}
{{- end -}}
{{- if not .Values.vpcId -}}
{{- $wrong = append $wrong "vpcId: the VPC of the cluster is needed: --set vpcId=vpc-..." -}}
{{- end -}}
{{- if not .Values.image.repository -}}
{{- $wrong = append $wrong "image.repository: the image that you have built is needed: --set image.repository=registry.example.com/l7lb" -}}
{{- end -}}
{{- if and (eq .Values.credentials "file") (not .Values.credentialsSecret) -}}
{{- $wrong = append $wrong "credentialsSecret: name the Secret with secretId and secretKey, or say with `credentials` where the keys come from (env, cvm-role, tke-oidc)" -}}
{{- end -}}
{{- if and .Values.credentialsSecret (not (has .Values.credentials (list "file" "env"))) -}}
{{- $wrong = append $wrong (printf "credentialsSecret: is not used with credentials=%s" .Values.credentials) -}}
{{- end -}}
{{- if and .Values.confirmCluster (ne .Values.confirmCluster .Values.clusterId) -}}
{{- $wrong = append $wrong "confirmCluster: is not clusterId: nothing is confirmed" -}}
{{- end -}}
{{- if and .Values.collectOrphans .Values.watchNamespace -}}
{{- $wrong = append $wrong "collectOrphans: not together with watchNamespace, which shows a part only" -}}
{{- end -}}
{{- if and .Values.collectOrphans (eq (toString .Values.verifyInterval) "0") -}}
{{- $wrong = append $wrong "collectOrphans: not together with verifyInterval=0: nobody would look for them" -}}
{{- end -}}
{{- if and .Values.referencedSecrets (ne .Values.secretsFrom "referenced") -}}
{{- $wrong = append $wrong "referencedSecrets: only with secretsFrom=referenced" -}}
{{- end -}}
{{- if and (not .Values.leaderElect) (gt (int .Values.replicaCount) 1) -}}
{{- $wrong = append $wrong "leaderElect: more than one replica needs it" -}}
{{- end -}}
{{- $scrapes := or .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled -}}
{{- if and $scrapes (eq .Values.metricsBindAddress "0") -}}
{{- $wrong = append $wrong "metricsBindAddress: is 0, so nothing is there for a ServiceMonitor or PodMonitor" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled -}}
{{- $wrong = append $wrong "monitoring: a ServiceMonitor and a PodMonitor together scrape everything twice; switch one off" -}}
{{- end -}}
{{- if eq .Values.uninstall.policy "drain" -}}
{{- if ne .Values.uninstall.confirmCluster .Values.clusterId -}}
{{- $wrong = append $wrong "uninstall.confirmCluster: `drain` deletes load balancers and wants the cluster id once more" -}}
{{- end -}}
{{- if .Values.watchNamespace -}}
{{- $wrong = append $wrong "uninstall.policy: `drain` is for a whole cluster, not with watchNamespace" -}}
{{- end -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n\nThe values are not complete:\n  - %s\n" (join "\n  - " $wrong)) -}}
{{- end -}}
{{- end -}}
