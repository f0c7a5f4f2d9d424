package report

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// run is a piece of a line in one face, in the order it is drawn, left to
// right. missing marks characters that no face draws, spelled as code points.
type run struct {
	face    face
	text    string
	missing bool
}

// shape prepares one cleaned line for drawing: Arabic letters are joined,
// right-to-left parts are put in visual order, and every character gets a face.
// A character that no face draws appears as its code point in ‹›, never as an
// empty box.
func shape(s string, heavy bool) []run {
	text := visual(joinArabic([]rune(s)))
	base := plain
	if heavy {
		base = bold
	}
	var out []run
	var piece []byte // of the last run
	end := func() {
		if n := len(out) - 1; n >= 0 {
			out[n].text = string(piece)
		}
		piece = piece[:0]
	}
	for _, r := range text {
		if r >= 0x200B && r <= 0x200F || r == 0x2060 || r >= 0xFE00 && r <= 0xFE0F { // joiners and variation selectors draw nothing
			continue
		}
		next := run{face: faceOf(r, heavy)}
		if next.missing = next.face == faces; next.missing {
			next.face = base
		}
		if n := len(out) - 1; n < 0 || out[n].face != next.face || out[n].missing != next.missing {
			end()
			out = append(out, next)
		}
		if next.missing {
			piece = fmt.Appendf(piece, "‹U+%04X›", r)
		} else {
			piece = utf8.AppendRune(piece, r)
		}
	}
	end()
	return out
}

// printable reports whether a face draws every character of s.
func printable(s string) bool {
	return !slices.ContainsFunc(shape(s, false), func(r run) bool { return r.missing })
}

// mirrored brackets swap in right-to-left text.
var mirrored = map[rune]rune{'(': ')', ')': '(', '[': ']', ']': '[', '{': '}', '}': '{', '<': '>', '>': '<', '«': '»', '»': '«', '‹': '›', '›': '‹'}

// visual puts a left-to-right line with right-to-left parts into the order it
// is drawn: the Unicode bidirectional algorithm (UAX #9, rules W1 to W7, N0 to
// N2, I1, L2 to L4) for one line without explicit marks, which clean takes out.
func visual(text []rune) []rune {
	class := make([]bidi.Class, len(text))
	any := false
	for n, r := range text {
		p, _ := bidi.LookupRune(r)
		class[n] = p.Class()
		any = any || class[n] == bidi.R || class[n] == bidi.AL
	}
	if !any {
		return text
	}
	weak(class)
	pairs(text, class)
	neutrals(class)
	level := make([]int, len(text))
	for n, c := range class {
		switch c {
		case bidi.R:
			level[n] = 1
		case bidi.EN:
			level[n] = 2
		}
	}
	out := slices.Clone(text)
	for n := range out {
		if m, ok := mirrored[out[n]]; ok && level[n] == 1 {
			out[n] = m
		}
	}
	for least := 2; least > 0; least-- {
		for n := 0; n < len(out); n++ {
			end := n
			for end < len(out) && level[end] >= least {
				end++
			}
			if end > n {
				slices.Reverse(out[n:end])
				slices.Reverse(level[n:end])
				n = end
			}
		}
	}
	return marksLast(out, level)
}

// weak resolves numbers, their separators and marks (W1 to W7). What is left is
// L, R, EN (numbers inside right-to-left text) and ON.
func weak(class []bidi.Class) {
	before := bidi.L // W1: a mark is what it stands on
	for n, c := range class {
		if c == bidi.NSM {
			class[n] = before
		}
		before = class[n]
	}
	for n := 1; n+1 < len(class); n++ { // W4: one separator between two numbers
		if c := class[n]; (c == bidi.ES || c == bidi.CS) && class[n-1] == bidi.EN && class[n+1] == bidi.EN || c == bidi.CS && class[n-1] == bidi.AN && class[n+1] == bidi.AN {
			class[n] = class[n-1]
		}
	}
	for n := 0; n < len(class); { // W5: signs beside a number
		end := n
		for end < len(class) && class[end] == bidi.ET {
			end++
		}
		if end > n && (n > 0 && class[n-1] == bidi.EN || end < len(class) && class[end] == bidi.EN) {
			for k := n; k < end; k++ {
				class[k] = bidi.EN
			}
		}
		n = max(end, n+1)
	}
	strong := bidi.L
	for n, c := range class { // W2, W3, W6, W7
		switch c {
		case bidi.L:
			strong = bidi.L
		case bidi.R, bidi.AL:
			strong, class[n] = bidi.R, bidi.R
		case bidi.EN:
			if strong == bidi.L {
				class[n] = bidi.L
			}
		case bidi.AN:
			class[n] = bidi.EN
		default:
			class[n] = bidi.ON
		}
	}
}

// pairs gives the brackets of a pair the same direction (N0): that of the line
// if their content has it, else that of the text before if their content has
// that too.
func pairs(text []rune, class []bidi.Class) {
	opens := map[rune]rune{'(': ')', '[': ']', '{': '}'}
	type open struct {
		at    int
		close rune
	}
	var stack []open
	var found [][2]int
	for n, r := range text {
		if class[n] != bidi.ON {
			continue
		}
		if c, ok := opens[r]; ok {
			stack = append(stack, open{n, c})
			continue
		}
		for k, o := range slices.Backward(stack) {
			if o.close == r {
				found = append(found, [2]int{o.at, n})
				stack = stack[:k]
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b [2]int) int { return a[0] - b[0] })
	for _, p := range found {
		inside := class[p[0]+1 : p[1]]
		switch {
		case slices.Contains(inside, bidi.L):
			class[p[0]], class[p[1]] = bidi.L, bidi.L
		case slices.Contains(inside, bidi.R) || slices.Contains(inside, bidi.EN):
			strong := bidi.L
			for _, c := range slices.Backward(class[:p[0]]) {
				if c != bidi.ON {
					strong = c
					break
				}
			}
			if strong == bidi.EN {
				strong = bidi.R
			}
			class[p[0]], class[p[1]] = strong, strong
		}
	}
}

// neutrals takes their direction from both sides, else from the line (N1, N2).
func neutrals(class []bidi.Class) {
	for n := 0; n < len(class); {
		end := n
		for end < len(class) && class[end] == bidi.ON {
			end++
		}
		if end == n {
			n++
			continue
		}
		to := bidi.L
		if n > 0 && end < len(class) && class[n-1] != bidi.L && class[end] != bidi.L {
			to = bidi.R
		}
		for ; n < end; n++ {
			class[n] = to
		}
	}
}

// marksLast puts the marks of reversed text behind their letter again (L3).
func marksLast(text []rune, level []int) []rune {
	for n := 0; n < len(text); n++ {
		end := n
		for end < len(text) && level[end] == 1 && isMark(text[end]) {
			end++
		}
		if end > n && end < len(text) && level[end] == 1 {
			letter := text[end]
			copy(text[n+1:end+1], text[n:end])
			text[n] = letter
			slices.Reverse(text[n+1 : end+1])
			n = end
		}
	}
	return text
}

func isMark(r rune) bool {
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.NSM
}
