package window

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// startXvfb starts a virtual display and points the process at it. The
// returned function ends it.
func startXvfb() (func(), error) {
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		return nil, fmt.Errorf("Xvfb is missing: apt-get install xvfb libgl1-mesa-dri libgl-dev")
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command(path, "-screen", "0", "1600x1200x24", "-nolisten", "tcp", "-displayfd", "3")
	cmd.ExtraFiles = []*os.File{w}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		cmd.Wait()
		return nil, fmt.Errorf("Xvfb gave no display: %v: %s", err, said.String())
	}
	os.Setenv("DISPLAY", ":"+strings.TrimSpace(number))
	return func() {
		cmd.Process.Kill()
		cmd.Wait()
	}, nil
}

// TestMain gives the tests a display of their own. OpenGL calls belong to one
// thread, so the window is opened by the one test that draws.
func TestMain(m *testing.M) {
	os.Setenv("LIBGL_ALWAYS_SOFTWARE", "1")
	// The same code path on every x86 machine, so that pictures agree closely.
	os.Setenv("GALLIUM_OVERRIDE_CPU_CAPS", "sse2")
	stop, err := startXvfb()
	if err != nil {
		fmt.Fprintln(os.Stderr, "viewer/window:", err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}
