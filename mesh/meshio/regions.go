package meshio

import (
	"strconv"
	"strings"

	"halsted/imaging"
)

// regionKey is how a file marks the elements of one region.
type regionKey struct {
	tag  int64  // 0: none
	name string // empty: none
}

func (k regionKey) String() string {
	if k.name != "" {
		return k.name
	}
	return "tag " + strconv.FormatInt(k.tag, 10)
}

// labelOf reads what Label.String gives, in any case.
func labelOf(name string) (imaging.Label, bool) {
	name = strings.ToLower(name)
	l, ok := labelNames[name]
	return l, ok
}

var labelNames = func() map[string]imaging.Label {
	m := map[string]imaging.Label{}
	for l := range 256 {
		m[imaging.Label(l).String()] = imaging.Label(l)
	}
	return m
}()

// firstFree is where labels for regions begin that no rule gives one.
const firstFree = 64

// assignLabels turns the marks of a file into labels by the rules told at
// SurfaceFile.Names. It returns the label of each key, and the names of those
// that have another than Label.String.
func assignLabels(format string, keys []regionKey, opt *ReadOptions) ([]imaging.Label, map[imaging.Label]string, error) {
	out := make([]imaging.Label, len(keys))
	done := make([]bool, len(keys))
	var taken [256]bool
	names := map[imaging.Label]string{}
	give := func(i int, l imaging.Label) {
		out[i], done[i], taken[l] = l, true, true
		if _, ok := names[l]; !ok && keys[i] != (regionKey{}) && !strings.EqualFold(keys[i].String(), l.String()) && keys[i] != (regionKey{tag: int64(l)}) {
			names[l] = keys[i].String()
		}
	}
	for i, k := range keys {
		if l, ok := opt.Labels[k.name]; ok && k.name != "" {
			give(i, l)
		} else if l, ok := opt.Labels[strconv.FormatInt(k.tag, 10)]; ok && k.tag != 0 {
			give(i, l)
		} else if l, ok := labelOf(k.name); ok {
			give(i, l)
		} else if k == (regionKey{}) {
			give(i, opt.Label)
		}
	}
	for i, k := range keys {
		if !done[i] && k.tag > 0 && k.tag < 256 && !taken[k.tag] {
			give(i, imaging.Label(k.tag))
		}
	}
	next := 0
	for i := range keys {
		for ; !done[i]; next++ {
			if next == 255 {
				return nil, nil, fail(format, "give regions that belong together one label through ReadOptions.Labels",
					"%d regions are more than 255 labels can tell apart", len(keys))
			}
			if l := imaging.Label((next+firstFree-1)%255 + 1); !taken[l] {
				give(i, l)
			}
		}
	}
	return out, names, nil
}
