package pacs

import "strings"

// UIDs of PS3.6 Annex A that this package acts on.
const (
	VerificationSOPClass = "1.2.840.10008.1.1"

	ImplicitVRLittleEndian         = "1.2.840.10008.1.2"
	ExplicitVRLittleEndian         = "1.2.840.10008.1.2.1"
	DeflatedExplicitVRLittleEndian = "1.2.840.10008.1.2.1.99"
	ExplicitVRBigEndian            = "1.2.840.10008.1.2.2"

	applicationContext = "1.2.840.10008.3.1.1.1"
	storagePrefix      = "1.2.840.10008.5.1.4.1.1."
)

// implementationClass names this implementation (PS3.7 D.3.3.2); it is a UUID
// under the 2.25 arc (PS3.5 B.2), as the project has no root of its own.
const (
	implementationClass   = "2.25.73057044966298972556849109458849055787"
	implementationVersion = "HALSTED_1"
)

// transferSyntaxes is what the node stores, best first: a sender that offers
// several for one context has to convert, so native forms come before lossless
// compression and that before syntaxes that may lose something. Every syntax
// is stored as received.
var transferSyntaxes = []string{
	ExplicitVRLittleEndian,
	ImplicitVRLittleEndian,
	"1.2.840.10008.1.2.4.70",  // JPEG lossless, first-order prediction
	"1.2.840.10008.1.2.4.57",  // JPEG lossless, process 14
	"1.2.840.10008.1.2.4.80",  // JPEG-LS lossless
	"1.2.840.10008.1.2.4.90",  // JPEG 2000 lossless
	"1.2.840.10008.1.2.4.92",  // JPEG 2000 part 2 lossless
	"1.2.840.10008.1.2.4.201", // High-throughput JPEG 2000 lossless
	"1.2.840.10008.1.2.4.202", // High-throughput JPEG 2000 lossless RPCL
	"1.2.840.10008.1.2.4.110", // JPEG XL lossless
	"1.2.840.10008.1.2.5",     // RLE lossless
	DeflatedExplicitVRLittleEndian,
	ExplicitVRBigEndian,
	"1.2.840.10008.1.2.4.81",  // JPEG-LS near-lossless
	"1.2.840.10008.1.2.4.91",  // JPEG 2000
	"1.2.840.10008.1.2.4.93",  // JPEG 2000 part 2
	"1.2.840.10008.1.2.4.203", // High-throughput JPEG 2000
	"1.2.840.10008.1.2.4.111", // JPEG XL, JPEG recompression
	"1.2.840.10008.1.2.4.112", // JPEG XL
	"1.2.840.10008.1.2.4.51",  // JPEG extended
	"1.2.840.10008.1.2.4.50",  // JPEG baseline
	"1.2.840.10008.1.2.4.100", // MPEG2 main profile, main level
	"1.2.840.10008.1.2.4.101", // MPEG2 main profile, high level
	"1.2.840.10008.1.2.4.102", // MPEG-4 AVC/H.264 high profile
	"1.2.840.10008.1.2.4.103", // MPEG-4 AVC/H.264 BD-compatible
	"1.2.840.10008.1.2.4.104", // MPEG-4 AVC/H.264 for 2D video
	"1.2.840.10008.1.2.4.105", // MPEG-4 AVC/H.264 for 3D video
	"1.2.840.10008.1.2.4.106", // MPEG-4 AVC/H.264 stereo
	"1.2.840.10008.1.2.4.107", // HEVC/H.265 main profile
	"1.2.840.10008.1.2.4.108", // HEVC/H.265 main 10 profile
}

// chooseSyntax returns the best of the offered transfer syntaxes.
func chooseSyntax(offered []string) (string, bool) {
	for _, ts := range transferSyntaxes {
		for _, o := range offered {
			if o == ts {
				return ts, true
			}
		}
	}
	return "", false
}

// isStorageClass reports whether a SOP class is one of the Storage service
// (PS3.4 Annex B). Its instances belong to a study and a series.
func isStorageClass(uid string) bool {
	return strings.HasPrefix(uid, storagePrefix) && ValidUID(uid)
}

// ValidUID reports whether s is safe and well formed as a UID (PS3.5 section
// 9.1): 1 to 64 characters, digits in components separated by single dots.
// Leading zeros, which some scanners write, are let through. A valid UID is
// always a safe file name.
func ValidUID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && digits > 0:
			digits = 0
		default:
			return false
		}
	}
	return digits > 0
}

// ValidAETitle reports whether s can be an application entity title (PS3.5
// section 6.2): 1 to 16 printable ASCII characters without backslash, not all
// spaces.
func ValidAETitle(s string) bool {
	if len(s) == 0 || len(s) > 16 || strings.TrimSpace(s) == "" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '\\' {
			return false
		}
	}
	return true
}

// trimUID takes off the padding of a UID field: a NUL, or the space that some
// senders write instead.
func trimUID(b []byte) string { return strings.TrimRight(string(b), "\x00 ") }
