package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Difference is one place in which two results part.
type Difference struct {
	Where string `json:"where"` // path in the JSON: "evaluations[2].quantities[0].value"
	Was   string `json:"was"`   // JSON; empty: not there
	Is    string `json:"is"`
}

// Differences compares two JSON texts value by value, numbers by their digits,
// and lists at most the given number of places, in the order of the paths. Equal
// bytes have none.
func Differences(was, is []byte, most int) []Difference {
	if bytes.Equal(was, is) {
		return nil
	}
	a, errA := decode(was)
	b, errB := decode(is)
	if errA != nil || errB != nil {
		return []Difference{{Where: "the whole text", Was: fmt.Sprintf("%d bytes", len(was)), Is: fmt.Sprintf("%d bytes", len(is))}}
	}
	d := differ{most: most}
	d.walk("", a, b)
	return d.found
}

// decode keeps numbers as their digits.
func decode(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

type differ struct {
	most  int
	found []Difference
}

// absent stands for a value that is not there; it is none that JSON decodes to.
type absent struct{}

func (d *differ) walk(where string, a, b any) {
	if len(d.found) >= d.most {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			keys := slices.Sorted(maps.Keys(x))
			for k := range y {
				if _, ok := x[k]; !ok {
					keys = append(keys, k)
				}
			}
			slices.Sort(keys)
			for _, k := range keys {
				at := k
				if where != "" {
					at = where + "." + k
				}
				d.walk(at, entry(x, k), entry(y, k))
			}
			return
		}
	case []any:
		if y, ok := b.([]any); ok {
			for n := range max(len(x), len(y)) {
				var p, q any = absent{}, absent{}
				if n < len(x) {
					p = x[n]
				}
				if n < len(y) {
					q = y[n]
				}
				d.walk(fmt.Sprintf("%s[%d]", where, n), p, q)
			}
			return
		}
	default:
		switch b.(type) {
		case map[string]any, []any:
		default:
			if a == b {
				return
			}
		}
	}
	d.found = append(d.found, Difference{where, text(a), text(b)})
}

func entry(m map[string]any, k string) any {
	if v, ok := m[k]; ok {
		return v
	}
	return absent{}
}

func text(v any) string {
	if _, ok := v.(absent); ok {
		return ""
	}
	return string(must(json.Marshal(v)))
}
