"""What an API server must do: asked of the emulator in every run, and of a real kube-apiserver where there is one."""
