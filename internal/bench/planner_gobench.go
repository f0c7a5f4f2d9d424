package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// goBench runs one benchmark of a package of this module in a process of its
// own, count iterations on some cores, and gives what it reports by unit:
// "ns/op" and the metrics of testing.B.ReportMetric. A benchmark that is not
// there is a *missingError.
func goBench(pkg, name string, count, cores int) (map[string]float64, error) {
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime", strconv.Itoa(count)+"x",
		"-cpu", strconv.Itoa(cores), "-count", "1", "-timeout", "60m", "./"+pkg)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(cores))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w: %s%s", name, pkg, err, bytes.TrimSpace(errs.Bytes()), bytes.TrimSpace(out))
	}
	m, err := parseBench(out, name)
	if err == nil && m == nil {
		err = &missingError{fmt.Sprintf("%s has no %s", pkg, name)}
	}
	return m, err
}

// parseBench reads the line of benchmark name in the output of `go test -bench`
// (the form of golang.org/design/14313-benchmark-format); nil when there is
// none.
func parseBench(out []byte, name string) (map[string]float64, error) {
	for line := range bytes.Lines(out) {
		f := strings.Fields(string(line))
		if len(f) < 4 || f[0] != name && !strings.HasPrefix(f[0], name+"-") {
			continue
		}
		m := map[string]float64{}
		for n := 2; n+1 < len(f); n += 2 {
			v, err := strconv.ParseFloat(f[n], 64)
			if err != nil {
				return nil, fmt.Errorf("%s reports %q: %w", name, strings.Join(f, " "), err)
			}
			m[f[n+1]] = v
		}
		return m, nil
	}
	return nil, nil
}
