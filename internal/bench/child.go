package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

// A trial is one job that a fresh child process of the bench does, so that its
// CPU seconds and its peak memory are its own. It gets ready untimed, then run
// is timed: user and system seconds of the whole process, garbage collection
// included, on one core (GOMAXPROCS=1). args are what the parent passed on.
type trial func(args []string) (run func() error, done func() (any, error), err error)

// The hidden sub-command that runs a trial.
const trialCommand = "trial"

// spent is what a trial took.
type spent struct {
	CPUS   float64         `json:"cpu_s"`
	PeakMB float64         `json:"-"`
	Result json.RawMessage `json:"result"`
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// runTrial is the child's side.
func runTrial(args []string) error {
	if len(args) == 0 || trials[args[0]] == nil {
		return fmt.Errorf("no trial %v", args)
	}
	run, done, err := trials[args[0]](args[1:])
	if err != nil {
		return err
	}
	runtime.GC()
	var s spent
	before := cpuSeconds()
	err = run()
	s.CPUS = cpuSeconds() - before
	if err != nil {
		return err
	}
	if done != nil {
		r, err := done()
		if err != nil {
			return err
		}
		if s.Result, err = json.Marshal(r); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}

// try runs a trial in a child process on one core.
func try(name string, args ...string) (spent, error) { return tryOn(1, name, args...) }

// tryOn is try on some cores.
func tryOn(cores int, name string, args ...string) (spent, error) {
	var s spent
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	cmd := exec.Command(self, append([]string{trialCommand, name}, args...)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(cores))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("%s %v: %w: %s", name, args, err, bytes.TrimSpace(errs.Bytes()))
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	s.PeakMB = peakMB(cmd)
	return s, nil
}

// peakMB is the peak memory of a finished process, 10^6 bytes.
func peakMB(cmd *exec.Cmd) float64 {
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return float64(u.Maxrss) * 1024 / 1e6 // KiB on Linux
	}
	return 0
}
