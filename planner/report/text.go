package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxShown is the longest text from outside that is shown, in characters.
const maxShown = 600

// clean makes a text from outside fit to be shown on one line: invalid UTF-8
// becomes U+FFFD, line breaks become spaces, control characters and those that
// turn the writing direction (Unicode Bidi_Control: overrides, embeddings,
// isolates, marks) and invisible fillers go, and what is longer than maxShown characters is cut, with
// its length told. Marks that pile up on one letter are cut after four.
func clean(s string) string { return cleanTo(s, maxShown) }

// maxSentence is the longest sentence that is made of several texts.
const maxSentence = 4000

// sentence is clean for a text that was put together here.
func sentence(s string) string { return cleanTo(s, maxSentence) }

func cleanTo(s string, most int) string {
	total := utf8.RuneCountInString(s)
	// A prefix is enough: marks and blanks that go make it shorter, not longer.
	if total > 8*most {
		s = prefix(s, 8*most)
	}
	var b strings.Builder
	n, marks, blank := 0, 0, true
	for _, r := range norm.NFC.String(strings.Map(visible, strings.ToValidUTF8(s, "\uFFFD"))) {
		switch {
		case r == ' ':
			if blank {
				continue
			}
			blank = true
		case unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; marks > 4 {
				continue
			}
		default:
			blank = false
		}
		if !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
		}
		if n++; n > most {
			return strings.TrimRight(b.String(), " ") + fmt.Sprintf("… (%d characters)", total)
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ")
}

// visible makes every blank a space and drops (-1) what must not be shown.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r) || r == 0x85 || r == 0x2028 || r == 0x2029:
		return ' '
	case unicode.In(r, unicode.Bidi_Control, unicode.Cc, unicode.Noncharacter_Code_Point) || r == 0x00AD || r == 0xFEFF || r >= 0xFFF9 && r <= 0xFFFB || r == 0x200B || r == 0x2060:
		return -1
	}
	return r
}

func prefix(s string, runes int) string {
	for n := range s {
		if runes--; runes < 0 {
			return s[:n]
		}
	}
	return s
}

// Name is a person name by its component groups (DICOM PS3.5 section 6.2.1),
// each as people read it.
type Name struct{ Alphabetic, Ideographic, Phonetic string }

// ParseName reads a DICOM person name: groups separated by "=", in each the
// family name, given name, middle name, prefix and suffix separated by "^".
// The alphabetic group becomes "Family, Given Middle"; the others keep their
// order. Any string is accepted.
func ParseName(pn string) Name {
	groups := strings.SplitN(cleanTo(pn, 200), "=", 3)
	for len(groups) < 3 {
		groups = append(groups, "")
	}
	return Name{nameGroup(groups[0], ", "), nameGroup(groups[1], " "), nameGroup(groups[2], " ")}
}

func nameGroup(s, after string) string {
	var part [5]string
	for n, p := range strings.SplitN(s, "^", 5) {
		part[n] = strings.Join(strings.Fields(strings.ReplaceAll(p, "^", " ")), " ")
	}
	out := join(" ", part[3], part[0])
	if rest := join(" ", part[1], part[2], part[4]); rest != "" {
		if out != "" {
			out += after
		}
		out += rest
	}
	return out
}

func join(sep string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, sep)
}

// Groups lists the groups that are there, alphabetic first.
func (n Name) Groups() []string {
	var out []string
	for _, g := range []string{n.Alphabetic, n.Ideographic, n.Phonetic} {
		if g != "" {
			out = append(out, g)
		}
	}
	return out
}

// dicomDate writes a DICOM date as 1961-03-27; another string stays as it is.
func dicomDate(s string) string {
	s = cleanTo(s, 40)
	if len(s) == 8 && strings.Trim(s, "0123456789") == "" {
		return s[:4] + "-" + s[4:6] + "-" + s[6:]
	}
	return s
}

// shortened cuts a cleaned text to a number of characters.
func shortened(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimRight(prefix(s, most-1), " ,;:") + "…"
}

// orDash is a text, or a dash for none.
func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// capital is s with its first letter large.
// stop ends a sentence with a full stop, if it has none.
func stop(s string) string {
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
