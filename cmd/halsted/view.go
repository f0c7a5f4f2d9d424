package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func viewCommand() *command {
	var server, run, token string
	return &command{
		name: "view", summary: "Start the desktop viewer on a run",
		example: "halsted view --server 127.0.0.1:8142 --run cases/C/plans/P/runs/R --token-file data/token",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&server, "server", defaultAPI, "host:port of the service")
			fs.StringVar(&run, "run", "", "name of the run")
			fs.StringVar(&token, "token-file", "", "file with the service's token")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 0 || run == "" || token == "" {
				return nil, usagef("want --run and --token-file")
			}
			viewer, err := findViewer()
			if err != nil {
				return nil, err
			}
			cmd := exec.CommandContext(ctx, viewer, "--server", server, "--run", run, "--token-file", token)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, o.out, o.log
			return nil, cmd.Run()
		},
	}
}

// findViewer looks beside this binary, then in PATH. The viewer is a program of
// its own because it needs OpenGL, which a server has not.
func findViewer() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "halsted-view")
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	p, err := exec.LookPath("halsted-view")
	if errors.Is(err, exec.ErrNotFound) {
		return "", refusedError{fmt.Errorf("halsted-view is not installed: run `make viewer` (it installs libgl-dev and the X11 headers)")}
	}
	return p, err
}
