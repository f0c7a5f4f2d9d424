package report

import (
	"fmt"
	"slices"

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
	for _, r := range text {
		if r >= 0x200B && r <= 0x200F || r == 0x2060 || r >= 0xFE00 && r <= 0xFE0F { // joiners and variation selectors draw nothing
			continue
		}
		next := run{face: faceOf(r, heavy), text: string(r)}
		if next.face == faces {
			next = run{face: base, text: fmt.Sprintf("‹U+%04X›", r), missing: true}
		}
		if n := len(out) - 1; n >= 0 && out[n].face == next.face && out[n].missing == next.missing {
			out[n].text += next.text
			continue
		}
		out = append(out, next)
	}
	return out
}

// printable reports whether a face draws every character of s.
func printable(s string) bool {
	return !slices.ContainsFunc(shape(s, false), func(r run) bool { return r.missing })
}

// direction of a character: right to left, left to right, or taken from its
// neighbours.
type direction int8

const (
	neutral direction = iota
	ltr
	rtl
	digits // left to right, but inside right-to-left text they do not end it
)

func directionOf(r rune) direction {
	p, _ := bidi.LookupRune(r)
	switch p.Class() {
	case bidi.L:
		return ltr
	case bidi.R, bidi.AL:
		return rtl
	case bidi.EN, bidi.AN:
		return digits
	}
	return neutral
}

// mirrored brackets swap in right-to-left text.
var mirrored = map[rune]rune{'(': ')', ')': '(', '[': ']', ']': '[', '{': '}', '}': '{', '<': '>', '>': '<', '«': '»', '»': '«', '‹': '›', '›': '‹'}

// visual puts a left-to-right line with right-to-left parts into the order it
// is drawn. It does what the Unicode bidirectional algorithm (UAX #9) does for
// one line without explicit marks: neutral characters between two of one
// direction take it, others that of the line; numbers keep their order.
func visual(text []rune) []rune {
	dirs := make([]direction, len(text))
	any := false
	for n, r := range text {
		dirs[n] = directionOf(r)
		any = any || dirs[n] == rtl
	}
	if !any {
		return text
	}
	right := make([]bool, len(text)) // part of a right-to-left run
	last := ltr
	for n := 0; n < len(text); {
		switch dirs[n] {
		case ltr:
			last = ltr
			n++
			continue
		case rtl:
			last, right[n] = rtl, true
			n++
			continue
		case digits:
			right[n] = last == rtl
			n++
			continue
		}
		end := n
		for end < len(text) && dirs[end] == neutral {
			end++
		}
		next := ltr
		if end < len(text) && (dirs[end] == rtl || dirs[end] == digits && last == rtl) {
			next = rtl
		}
		for ; n < end; n++ {
			right[n] = last == rtl && next == rtl
		}
	}
	out := make([]rune, 0, len(text))
	for n := 0; n < len(text); {
		end := n
		for end < len(text) && right[end] == right[n] {
			end++
		}
		if right[n] {
			out = append(out, turned(text[n:end], dirs[n:end])...)
		} else {
			out = append(out, text[n:end]...)
		}
		n = end
	}
	return out
}

// turned reverses a right-to-left run; numbers inside keep their order and
// marks stay behind their letter.
func turned(text []rune, dirs []direction) []rune {
	out := make([]rune, 0, len(text))
	for end := len(text); end > 0; {
		n := end - 1
		switch {
		case dirs[n] == digits:
			for n > 0 && (dirs[n-1] == digits || isNumberPart(text[n-1]) && n > 1 && dirs[n-2] == digits) {
				n--
			}
		case isMark(text[n]):
			for n > 0 && isMark(text[n]) {
				n--
			}
		}
		if end-n == 1 {
			if m, ok := mirrored[text[n]]; ok {
				out = append(out, m)
				end = n
				continue
			}
		}
		out = append(out, text[n:end]...)
		end = n
	}
	return out
}

func isNumberPart(r rune) bool { return r == '.' || r == ',' || r == ':' || r == '/' }

func isMark(r rune) bool {
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.NSM
}
