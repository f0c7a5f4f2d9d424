package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// The exit codes of every command.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2
	exitRefused   = 3
	exitDiverged  = 4
	exitCancelled = 130
)

const exitHelp = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the input is refused, 4 the solve did not converge, 130 cancelled."

// output is where a command writes: results to out, progress and errors to log.
type output struct {
	out, log io.Writer
	json     bool
}

// command is one subcommand.
type command struct {
	name, args, summary, example string
	flags                        func(*flag.FlagSet) // may be nil
	run                          func(ctx context.Context, o output, args []string) (any, error)
}

// usageError is a wrong call; the command's help follows.
type usageError struct{ why string }

func (e *usageError) Error() string { return e.why }

func usagef(format string, a ...any) error { return &usageError{fmt.Sprintf(format, a...)} }

// commands in the order of the help.
func commands() []*command {
	return []*command{demoCommand(), serveCommand(), planCommand(), approveCommand(), simulateCommand(), segmentCommand(), convertCommand(), meshCommand(), solveCommand(), verifyCommand(), phantomCommand(), sendCommand(), viewCommand(), versionCommand()}
}

// run finds and runs a command; it returns the process's exit code.
func run(ctx context.Context, args []string, out, log io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		w := log
		if len(args) > 0 {
			w = out
		}
		overview(w)
		if len(args) == 0 {
			return exitUsage
		}
		return exitOK
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.execute(ctx, args[1:], out, log)
		}
	}
	fmt.Fprintf(log, "halsted: no command %q; `halsted help` lists them\n", args[0])
	return exitUsage
}

func overview(w io.Writer) {
	fmt.Fprintln(w, "halsted: from a CT study to ranked, simulated surgical plans")
	fmt.Fprintln(w)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "`halsted COMMAND --help` shows the options and an example.")
	fmt.Fprintln(w, exitHelp)
}

func (c *command) execute(ctx context.Context, args []string, out, log io.Writer) int {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o := output{out: out, log: log}
	fs.BoolVar(&o.json, "json", false, "print the result as JSON")
	if c.flags != nil {
		c.flags(fs)
	}
	help := func(w io.Writer) {
		fmt.Fprintf(w, "usage: halsted %s [options] %s\n%s.\n\n", c.name, c.args, c.summary)
		fs.SetOutput(w)
		fs.PrintDefaults()
		fs.SetOutput(io.Discard)
		fmt.Fprintf(w, "\nExample:\n  %s\n\n%s\n", strings.ReplaceAll(c.example, "\n", "\n  "), exitHelp)
	}
	rest, err := parseAnywhere(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		help(out)
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(log, "halsted %s: %v\n", c.name, err)
		help(log)
		return exitUsage
	}
	result, err := c.run(ctx, o, rest)
	if err != nil {
		return fail(c, o, err, help)
	}
	if o.json && result != nil {
		e := json.NewEncoder(out)
		e.SetIndent("", " ")
		if err := e.Encode(result); err != nil {
			fmt.Fprintf(log, "halsted %s: %v\n", c.name, err)
			return exitFailed
		}
	}
	return exitOK
}

// parseAnywhere parses flags that stand before, between or after arguments.
func parseAnywhere(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		args = fs.Args()
		if len(args) == 0 {
			return rest, nil
		}
		rest = append(rest, args[0])
		args = args[1:]
	}
}

// fail prints an error in one sentence (JSON when asked) and picks the code.
func fail(c *command, o output, err error, help func(io.Writer)) int {
	code := exitCode(err)
	if o.json {
		m := map[string]any{"error": err.Error(), "exit_code": code}
		if v, ok := errors.AsType[*verifyError](err); ok {
			m["result"] = v.result
		} else if p, ok := errors.AsType[*partialError](err); ok {
			m["result"] = p.result
		}
		_ = json.NewEncoder(o.out).Encode(m)
	}
	fmt.Fprintf(o.log, "halsted %s: %v\n", c.name, err)
	if code == exitUsage {
		help(o.log)
	}
	return code
}

func versionCommand() *command {
	return &command{
		name: "version", summary: "Print what this binary was built from", example: "halsted version --json",
		run: func(_ context.Context, o output, _ []string) (any, error) {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return nil, errors.New("the binary carries no build information")
			}
			deps := map[string]string{}
			for _, d := range info.Deps {
				deps[d.Path] = d.Version
			}
			if !o.json {
				fmt.Fprintf(o.out, "halsted, built with %s from %d modules\n", info.GoVersion, len(deps))
			}
			return map[string]any{"go": info.GoVersion, "modules": deps}, nil
		},
	}
}
