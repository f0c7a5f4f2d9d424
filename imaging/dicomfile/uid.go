package dicomfile

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
)

// Transfer syntaxes named in this module (PS3.5 annex A, PS3.6 annex A).
const (
	ImplicitVRLittleEndian = "1.2.840.10008.1.2"
	ExplicitVRLittleEndian = "1.2.840.10008.1.2.1"
	DeflatedExplicitVR     = "1.2.840.10008.1.2.1.99"
	ExplicitVRBigEndian    = "1.2.840.10008.1.2.2"
)

// SOP classes named in this module (PS3.4 annex B).
const (
	MediaStorageDirectory = "1.2.840.10008.1.3.10"
	CTImageStorage        = "1.2.840.10008.5.1.4.1.1.2"
	EnhancedCTStorage     = "1.2.840.10008.5.1.4.1.1.2.1"
	LegacyEnhancedCT      = "1.2.840.10008.5.1.4.1.1.2.2"
	MRImageStorage        = "1.2.840.10008.5.1.4.1.1.4"
	EnhancedMRStorage     = "1.2.840.10008.5.1.4.1.1.4.1"
	LegacyEnhancedMR      = "1.2.840.10008.5.1.4.1.1.4.4"
	SecondaryCapture      = "1.2.840.10008.5.1.4.1.1.7"
	PETImageStorage       = "1.2.840.10008.5.1.4.1.1.128"
	EnhancedPETStorage    = "1.2.840.10008.5.1.4.1.1.130"
	LegacyEnhancedPET     = "1.2.840.10008.5.1.4.1.1.128.1"
)

// Who wrote a file (PS3.10 section 7.1). The class UID is a fixed UUID under
// 2.25 (PS3.5 section B.2).
const (
	HalstedClassUID    = "2.25.230052101620259122134376678506144897257"
	HalstedVersionName = "HALSTED_1"
)

// HashUID derives a UID from content: 2.25 and the decimal value of a UUID
// (RFC 9562 version 8) made of the SHA-256 of the parts. The same parts give
// the same UID; part boundaries count.
func HashUID(parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.LittleEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return "2.25." + new(big.Int).SetBytes(u).String()
}
