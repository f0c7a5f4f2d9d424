package verify

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number prints a figure with at most six significant digits, and a figure
// that is rounding error with two.
func number(v float64) string {
	a := math.Abs(v)
	switch {
	case v == 0:
		return "0"
	case a < 1e-7:
		return strconv.FormatFloat(v, 'e', 1, 64)
	case a < 1e-3 || a >= 1e6:
		return strconv.FormatFloat(v, 'e', 4, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, 5-int(math.Floor(math.Log10(a)))), 64)
}

func (r *Row) value() string { return strings.TrimSpace(number(r.Value) + " " + r.Unit) }

func (r *Row) reference() string {
	if r.Reference == 0 && r.Check != Relative {
		return "–"
	}
	return number(r.Reference)
}

// off prints the error: per cent, or the unit of the row.
func (r *Row) off() string {
	switch {
	case r.Check == Absolute && r.Reference == 0:
		return "–"
	case r.Check == Absolute || r.Check == AtLeast:
		return fmt.Sprintf("%+.3g", r.Error)
	case r.Check == Shown && r.Reference == 0:
		return "–"
	}
	return percent(r.Error, true)
}

func percent(v float64, sign bool) string {
	p := 100 * v
	f := "%"
	if sign {
		f += "+"
	}
	switch a := math.Abs(p); {
	case a != 0 && a < 1e-4:
		f += ".0e %%"
	case a < 0.1:
		f += ".4f %%"
	default:
		f += ".2f %%"
	}
	return fmt.Sprintf(f, p)
}

func (r *Row) tolerance() string {
	switch r.Check {
	case Relative:
		if r.Tolerance < 1e-5 {
			return fmt.Sprintf("%.0e", r.Tolerance)
		}
		return strconv.FormatFloat(100*r.Tolerance, 'g', 4, 64) + " %"
	case Absolute:
		if r.Reference == 0 {
			return "≤ " + strconv.FormatFloat(r.Tolerance, 'g', 3, 64)
		}
		return "± " + strconv.FormatFloat(r.Tolerance, 'g', 3, 64)
	case AtLeast:
		return "≥ reference − " + strconv.FormatFloat(r.Tolerance, 'g', 3, 64)
	}
	return "–"
}

func (r *Row) verdict() string {
	switch {
	case r.Check == Shown:
		return ""
	case r.Holds:
		return "holds"
	}
	return "DOES NOT HOLD"
}

var columns = []string{"quantity", "mesh", "value", "reference", "error", "tolerance", ""}

func (r *Row) cells() []string {
	return []string{r.Quantity, r.Mesh, r.value(), r.reference(), r.off(), r.tolerance(), r.verdict()}
}

// WriteText prints one result as a table for a terminal.
func WriteText(w io.Writer, r *Result) error {
	lines := [][]string{columns}
	for i := range r.Rows {
		lines = append(lines, r.Rows[i].cells())
	}
	width := make([]int, len(columns))
	for _, l := range lines {
		for i, c := range l {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Name, r.Title)
	if len(r.Rows) > 0 {
		for _, l := range lines {
			line := " "
			for i, c := range l {
				line += " " + c + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)+1)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	for i := range r.Rows {
		if n := r.Rows[i].Note; n != "" {
			fmt.Fprintf(&b, "  %s, %s: %s\n", r.Rows[i].Quantity, r.Rows[i].Mesh, n)
		}
	}
	if r.Failure != "" {
		fmt.Fprintf(&b, "  FAILED: %s\n", r.Failure)
	}
	if r.NotRun != "" {
		fmt.Fprintf(&b, "  NOT RUN: %s\n", r.NotRun)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
