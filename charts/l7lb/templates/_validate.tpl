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
{{- $given := list -}}
{{- range .Values.extraEnv -}}
{{- $given = append $given .name -}}
{{- end -}}
{{- $keys := and (has "TENCENTCLOUD_SECRET_ID" $given) (has "TENCENTCLOUD_SECRET_KEY" $given) -}}
{{- if and (eq .Values.credentials "env") (not .Values.credentialsSecret) (not $keys) -}}
{{- $wrong = append $wrong "credentialsSecret: credentials=env needs the Secret with secretId and secretKey, or TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY in extraEnv" -}}
{{- end -}}
{{- $role := or (get (.Values.serviceAccount.annotations | default dict) "tke.cloud.tencent.com/role-arn") (has "TKE_ROLE_ARN" $given) -}}
{{- if and (eq .Values.credentials "tke-oidc") .Values.serviceAccount.create (not $role) -}}
{{- $wrong = append $wrong "serviceAccount.annotations: credentials=tke-oidc needs tke.cloud.tencent.com/role-arn, the role that is taken on" -}}
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
{{- $spaces := list -}}
{{- range .Values.referencedSecrets -}}
{{- $spaces = append $spaces .namespace -}}
{{- end -}}
{{- if ne (len $spaces) (len (uniq $spaces)) -}}
{{- $wrong = append $wrong "referencedSecrets: a namespace is there twice; put its names into one list" -}}
{{- end -}}
{{- $name := include "l7lb.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- $wrong = append $wrong (printf "fullnameOverride: %s cannot be the name of a Service; give one of a-z, 0-9 and -, a letter first" $name) -}}
{{- end -}}
{{- $taken := dict -}}
{{- range $value := list "metricsBindAddress" "healthProbeBindAddress" "consoleBindAddress" "readinessWebhookBindAddress" -}}
{{- $port := include "l7lb.port" (index $.Values $value) -}}
{{- if or $.Values.readinessWebhook.enabled (ne $value "readinessWebhookBindAddress") -}}
{{- if and $port (eq (int $port) 0) -}}
{{- $wrong = append $wrong (printf "%s: 0 is no port" $value) -}}
{{- else if hasKey $taken $port -}}
{{- $wrong = append $wrong (printf "%s: port %s is taken by %s" $value $port (get $taken $port)) -}}
{{- else if $port -}}
{{- $_ := set $taken $port $value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.readinessWebhook.enabled (eq .Values.readinessWebhookBindAddress "0") -}}
{{- $wrong = append $wrong "readinessWebhookBindAddress: is 0, so nothing is there for readinessWebhook" -}}
{{- end -}}
{{- if and (gt (int .Values.shards) 1) (not .Values.leaderElect) -}}
{{- $wrong = append $wrong "shards: more than one needs leaderElect" -}}
{{- end -}}
{{- if and (gt (int .Values.shards) 1) (ne (toString .Values.consoleBindAddress) "0") -}}
{{- $wrong = append $wrong "shards: more than one and the console (consoleBindAddress) exclude each other" -}}
{{- end -}}
{{- if and (not .Values.leaderElect) (gt (int .Values.replicaCount) 1) -}}
{{- $wrong = append $wrong "leaderElect: more than one replica needs it" -}}
{{- end -}}
{{- $scrapes := or .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled -}}
{{- if and $scrapes (eq .Values.metricsBindAddress "0") -}}
{{- $wrong = append $wrong "metricsBindAddress: is 0, so nothing is there for a ServiceMonitor or PodMonitor" -}}
{{- end -}}
{{- $loopback := "(?i)^(127\\.|localhost:|\\[::1\\]:)" -}}
{{- if and $scrapes (regexMatch $loopback .Values.metricsBindAddress) -}}
{{- $wrong = append $wrong (printf "metricsBindAddress: %s is heard in the pod alone, and Prometheus asks from outside; leave the host out, as in :8080" .Values.metricsBindAddress) -}}
{{- end -}}
{{- if regexMatch $loopback .Values.healthProbeBindAddress -}}
{{- $wrong = append $wrong (printf "healthProbeBindAddress: %s is heard in the pod alone, and the kubelet asks from outside; leave the host out, as in :8081" .Values.healthProbeBindAddress) -}}
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
{{- $own := include "l7lb.labels" . | fromYaml -}}
{{- range $key, $_ := .Values.podLabels -}}
{{- if hasKey (include "l7lb.selectorLabels" $ | fromYaml) $key -}}
{{- $wrong = append $wrong (printf "podLabels: %s is the chart's own: pods are found by it" $key) -}}
{{- end -}}
{{- end -}}
{{- range $part, $said := .Values.monitoring -}}
{{- range $key, $_ := $said.labels -}}
{{- if hasKey $own $key -}}
{{- $wrong = append $wrong (printf "monitoring.%s.labels: %s is the chart's own" $part $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n\nThe values are not complete:\n  - %s\n" (join "\n  - " $wrong)) -}}
{{- end -}}
{{- end -}}
