//go:build unix

package childprocess

import (
	"os/exec"
	"syscall"
)

// group makes the program the head of a group, which is killed as a whole: a launcher such as npx starts the real one.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
