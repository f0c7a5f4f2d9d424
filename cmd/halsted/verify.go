package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"halsted/fem/verify"
	"halsted/internal/atomicfile"
)

// verifyFlags are the options of `halsted verify` as typed.
type verifyFlags struct {
	quick, list bool
	cases       string
	out, doc    string
}

// verifyResult is what `halsted verify --json` prints and --out writes.
type verifyResult struct {
	Level  string          `json:"level"`
	Judged int             `json:"rows_judged"`
	Failed int             `json:"rows_that_do_not_hold"`
	Cases  []verify.Result `json:"cases"`
}

func verifyCommand() *command {
	var f verifyFlags
	return &command{
		name: "verify", summary: "Compare the solver with closed forms and published codes; fails when a row does not hold",
		example: "halsted verify --quick\n" +
			"halsted verify --case lame-tube,hertz --json\n" +
			"halsted verify --doc docs/verification.md --out verification.json",
		flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&f.quick, "quick", false, "small meshes, seconds; the default is the stated meshes, minutes")
			fs.BoolVar(&f.list, "list", false, "list the cases and end")
			fs.StringVar(&f.cases, "case", "", "`NAMES` of cases, joined by commas (default all)")
			fs.StringVar(&f.out, "out", "", "`FILE` for the table as JSON")
			fs.StringVar(&f.doc, "doc", "", "Markdown `FILE` to write; its plots go into the folder images beside it")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			cases, err := f.pick(args)
			if err != nil {
				return nil, err
			}
			if f.list {
				for _, c := range cases {
					if !o.json {
						fmt.Fprintf(o.out, "%-28s %-15s %s\n", c.Name, c.Group, c.Title)
					}
				}
				return nil, nil
			}
			return f.run(ctx, o, cases)
		},
	}
}

// pick checks the call and picks the cases.
func (f *verifyFlags) pick(args []string) ([]verify.Case, error) {
	if len(args) > 0 {
		return nil, usagef("takes no arguments, not %q; --case picks cases", args[0])
	}
	if f.doc != "" && f.quick {
		return nil, usagef("--doc wants the stated meshes: leave --quick away")
	}
	all := verify.Cases()
	if f.cases == "" {
		return all, nil
	}
	var out []verify.Case
	for _, n := range strings.Split(f.cases, ",") {
		i := slices.IndexFunc(all, func(c verify.Case) bool { return c.Name == strings.TrimSpace(n) })
		if i < 0 {
			return nil, usagef("--case: no case %q; --list shows them", n)
		}
		out = append(out, all[i])
	}
	return out, nil
}

func (f *verifyFlags) run(ctx context.Context, o output, cases []verify.Case) (any, error) {
	r := &verifyResult{Level: "full"}
	level := verify.Full
	if f.quick {
		r.Level, level = "quick", verify.Quick
	}
	b := newBar(o.log)
	var err error
	r.Cases, err = verify.Run(ctx, cases, level, func(_ int, next string) {
		if next != "" {
			b.set(next, 0)
		}
	}, func(c *verify.Result) {
		if !o.json {
			b.line(func() { _ = verify.WriteText(o.out, c) })
		}
	})
	if err != nil {
		b.abandon()
		return nil, err
	}
	b.finish()
	failing := r.count()
	if f.out != "" {
		if err := atomicfile.Write(f.out, r.encode); err != nil {
			return nil, err
		}
	}
	if f.doc != "" {
		if err := f.document(r.Cases); err != nil {
			return nil, err
		}
	}
	if !o.json {
		fmt.Fprintf(o.out, "%d of %d judged rows hold\n", r.Judged-r.Failed, r.Judged)
	}
	if r.Failed > 0 {
		return nil, &verifyError{failing, r}
	}
	return r, nil
}

// count sums the rows up and names the cases that do not hold.
func (r *verifyResult) count() (failing []string) {
	for i := range r.Cases {
		c := &r.Cases[i]
		if c.Failure != "" {
			r.Judged++
			r.Failed++
		}
		for _, w := range c.Rows {
			if w.Check != verify.Shown {
				r.Judged++
			}
			if !w.Holds {
				r.Failed++
			}
		}
		if !c.Holds() {
			failing = append(failing, c.Name)
		}
	}
	return failing
}

// encode writes r as JSON.
func (r *verifyResult) encode(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// document writes the page and its plots.
func (f *verifyFlags) document(results []verify.Result) error {
	const dir = "images"
	text, images := verify.Document(results, dir)
	folder := filepath.Dir(f.doc)
	var files []atomicfile.File
	for _, name := range slices.Sorted(maps.Keys(images)) {
		files = append(files, atomicfile.File{Name: path.Base(name), Write: writes(images[name])})
	}
	if len(files) > 0 {
		pictures := filepath.Join(folder, dir)
		if err := os.MkdirAll(pictures, 0o755); err != nil {
			return err
		}
		if err := atomicfile.WriteAll(pictures, files); err != nil {
			return err
		}
	}
	return atomicfile.Write(f.doc, writes(text))
}

// writes writes a text.
func writes(text string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
}

// verifyError says that the solver is off; with --json the table goes with it.
type verifyError struct {
	cases  []string
	result *verifyResult
}

func (e *verifyError) Error() string {
	return "rows do not hold in " + strings.Join(e.cases, ", ")
}
