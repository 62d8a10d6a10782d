"""The shipped command as a child process against emulators or a real kube-apiserver: real threads and sockets."""
