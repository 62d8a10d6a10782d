{{/* Name of the chart, or what is said instead. */}}
{{- define "l7lb.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of most objects. Short enough for what is appended to it. */}}
{{- define "l7lb.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "l7lb.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names of what is not in a namespace have to differ from those of a release elsewhere. */}}
{{- define "l7lb.clusterName" -}}
{{- if eq .Release.Namespace (include "l7lb.fullname" .) -}}
{{- include "l7lb.fullname" . -}}
{{- else -}}
{{- printf "%s-%s" .Release.Namespace (include "l7lb.fullname" .) | trunc 200 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "l7lb.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "l7lb.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What pods are selected by; never changes. By the first l7lb knows that a controller is not the one it replaces. */}}
{{- define "l7lb.selectorLabels" -}}
app.kubernetes.io/name: l7lb
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "l7lb.labels" -}}
{{ include "l7lb.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The digest decides; the tag beside it says to people, and to l7lb doctor, which version that is. */}}
{{- define "l7lb.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* The Lease, and the ConfigMap in which orphans are remembered: the product's name for them. */}}
{{- define "l7lb.leaseName" -}}
l7lb-{{ .Values.clusterId | lower }}
{{- end -}}

{{- define "l7lb.webhookName" -}}
{{ include "l7lb.fullname" . }}-webhook
{{- end -}}

{{/* The port of a bind address; empty for "0". */}}
{{- define "l7lb.port" -}}
{{- if ne . "0" -}}
{{- regexFind "[0-9]+$" . -}}
{{- end -}}
{{- end -}}

{{/*
Environment: each flag whose value is not the command's own default, then the keys. Not arguments, so that a command
that is run in the pod (kubectl exec deployment/l7lb -- l7lb plan) has the same flags. files/flags.yaml has the flags.
*/}}
{{- define "l7lb.environment" -}}
{{- range .Files.Get "files/flags.yaml" | fromYamlArray }}
{{- $value := index $.Values .value | toString }}
{{- if and (eq .value "credentials") (eq $value "file") }}
{{- $value = "file:/var/run/secrets/l7lb" }}
{{- end }}
{{- if and $value (ne $value (toString .default)) }}
- name: {{ .variable }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if and .Values.credentialsSecret (eq .Values.credentials "env") }}
- name: TENCENTCLOUD_SECRET_ID
  valueFrom: {secretKeyRef: {name: {{ .Values.credentialsSecret | quote }}, key: secretId}}
- name: TENCENTCLOUD_SECRET_KEY
  valueFrom: {secretKeyRef: {name: {{ .Values.credentialsSecret | quote }}, key: secretKey}}
- name: TENCENTCLOUD_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .Values.credentialsSecret | quote }}, key: token, optional: true}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Arguments for what an environment cannot say: that a text with a default is to be empty. */}}
{{- define "l7lb.emptied" -}}
{{- range .Files.Get "files/flags.yaml" | fromYamlArray }}
{{- if and .default (eq (index $.Values .value | toString) "") }}
- {{ printf "--%s=" .flag | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What a container of ours may do to its node: nothing. */}}
{{- define "l7lb.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "l7lb.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
# So that a token that is mounted with a mode of its own can be read.
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "l7lb.volumes" -}}
{{- if eq .Values.credentials "file" }}
- name: credentials
  secret:
    secretName: {{ .Values.credentialsSecret | quote }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "l7lb.mounts" -}}
{{- if eq .Values.credentials "file" }}
- name: credentials
  mountPath: /var/run/secrets/l7lb
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}
