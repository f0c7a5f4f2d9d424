package report

// The PDF library draws characters as they come, without shaping. Arabic
// letters are therefore replaced by the presentation forms of Unicode (blocks
// FB50 and FE70), which carry the joining in the character: isolated, final,
// initial, medial. Letters of Arabic and Persian and most of Urdu are
// covered; a letter that is not stays in its isolated shape, which is legible
// but unjoined.

// arabicForm is the isolated form of a letter and how many forms follow each
// other: 1 joins to nothing, 2 to the letter before, 4 to both sides.
type arabicForm struct {
	isolated rune
	forms    int
}

var arabicForms = map[rune]arabicForm{
	0x0621: {0xFE80, 1}, 0x0622: {0xFE81, 2}, 0x0623: {0xFE83, 2}, 0x0624: {0xFE85, 2}, 0x0625: {0xFE87, 2}, 0x0626: {0xFE89, 4},
	0x0627: {0xFE8D, 2}, 0x0628: {0xFE8F, 4}, 0x0629: {0xFE93, 2}, 0x062A: {0xFE95, 4}, 0x062B: {0xFE99, 4}, 0x062C: {0xFE9D, 4},
	0x062D: {0xFEA1, 4}, 0x062E: {0xFEA5, 4}, 0x062F: {0xFEA9, 2}, 0x0630: {0xFEAB, 2}, 0x0631: {0xFEAD, 2}, 0x0632: {0xFEAF, 2},
	0x0633: {0xFEB1, 4}, 0x0634: {0xFEB5, 4}, 0x0635: {0xFEB9, 4}, 0x0636: {0xFEBD, 4}, 0x0637: {0xFEC1, 4}, 0x0638: {0xFEC5, 4},
	0x0639: {0xFEC9, 4}, 0x063A: {0xFECD, 4}, 0x0641: {0xFED1, 4}, 0x0642: {0xFED5, 4}, 0x0643: {0xFED9, 4}, 0x0644: {0xFEDD, 4},
	0x0645: {0xFEE1, 4}, 0x0646: {0xFEE5, 4}, 0x0647: {0xFEE9, 4}, 0x0648: {0xFEED, 2}, 0x0649: {0xFEEF, 2}, 0x064A: {0xFEF1, 4},
	0x0679: {0xFB66, 4}, 0x067E: {0xFB56, 4}, 0x0686: {0xFB7A, 4}, 0x0688: {0xFB88, 2}, 0x0691: {0xFB8C, 2}, 0x0698: {0xFB8A, 2},
	0x06A9: {0xFB8E, 4}, 0x06AF: {0xFB92, 4}, 0x06BA: {0xFB9E, 2}, 0x06BE: {0xFBAA, 4}, 0x06CC: {0xFBFC, 4},
}

// lamAlef are the ligatures of lam with the four alefs, isolated; the final
// form follows.
var lamAlef = map[rune]rune{0x0622: 0xFEF5, 0x0623: 0xFEF7, 0x0625: 0xFEF9, 0x0627: 0xFEFB}

const (
	lam     = 0x0644
	tatweel = 0x0640
	joiner  = 0x200D // zero width joiner: joins like a letter, is not drawn
)

// transparent reports marks that letters join across.
func transparent(r rune) bool {
	return r >= 0x0610 && r <= 0x061A || r >= 0x064B && r <= 0x065F || r == 0x0670
}

func joinsNext(r rune) bool { return r == tatweel || r == joiner || arabicForms[r].forms == 4 }
func joinsBefore(r rune) bool {
	return r == tatweel || r == joiner || arabicForms[r].forms >= 2
}

// joinArabic replaces Arabic letters, in the order they are written, by the
// presentation forms that their neighbours ask for.
func joinArabic(text []rune) []rune {
	var out []rune
	for n := 0; n < len(text); n++ {
		r := text[n]
		f, ok := arabicForms[r]
		if !ok {
			out = append(out, r)
			continue
		}
		before := n - 1
		for before >= 0 && transparent(text[before]) {
			before--
		}
		after := n + 1
		for after < len(text) && transparent(text[after]) {
			after++
		}
		joined := before >= 0 && joinsNext(text[before])
		if r == lam && after < len(text) {
			if ligature, ok := lamAlef[text[after]]; ok {
				if joined {
					ligature++
				}
				out = append(out, ligature)
				out = append(out, text[n+1:after]...) // marks of the lam
				n = after
				continue
			}
		}
		form := 0 // isolated, final, initial, medial
		if joined && f.forms >= 2 {
			form = 1
		}
		if f.forms == 4 && after < len(text) && joinsBefore(text[after]) {
			form += 2
		}
		out = append(out, f.isolated+rune(form))
	}
	return out
}
