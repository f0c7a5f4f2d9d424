// Package report writes the dossier a surgeon reads in two minutes, in forms
// that say the same:
//
//   - HTML: one page that stands alone, with a content security policy that
//     allows nothing but its own pictures and style.
//   - PDF: A4; the decision page, all plans number by number, a page for each
//     plan, method and sources; patient, notice and page number on every page.
//   - JSON: for machines, under Schema.
//   - SR: a DICOM Comprehensive 3D SR (TID 1500).
//   - Table: the plans as plain text.
//
// # Promise
//
// A number is shown with its unit, its 95 % interval or why there is none, the
// evidence of its inputs ("unverified source" where it is so), the probability
// of breaking a rule, residual and mesh error where equations were solved, and
// the ways in which the case lies outside the verified range. A number that
// planner.Quantity.Validate refuses is an error, and nothing is written. The
// proposed plan reads "Proposed, not approved" until a named person approves.
//
// Text from outside (DICOM, rule packs, plans) is hostile: it is cleaned of
// control and direction-turning characters, cut to a length and escaped. No
// form holds a clock time: the same dossier gives the same bytes.
//
// # Units and frames
//
// Points are LPS mm. Units are UCUM in JSON and SR and as people write them
// elsewhere. Pictures are handed in as PNG; nothing here renders anatomy. Charts
// are drawn here, as vectors, the same in HTML and PDF.
//
// # Scripts
//
// The PDF library does no shaping. Latin, Greek, Cyrillic, Armenian, Georgian,
// Han, kana, Hangul, Thai, Hebrew and Arabic are shown; Arabic by presentation
// forms, right-to-left text in visual order, so copied text comes out in that
// order. What no face draws appears as code points, never as an empty box.
//
// The functions may be called from several goroutines at once.
package report
