package series

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// ID says which series this is. The UIDs lead back to a patient, so an ID
// shows only a short digest of them in logs and in every fmt verb; read the
// fields on purpose.
type ID struct {
	StudyInstanceUID  string
	SeriesInstanceUID string
	Modality          string
}

// redacted tells two UIDs apart without giving them away.
func redacted(uid string) string {
	h := sha256.Sum256([]byte("halsted log " + uid))
	return hex.EncodeToString(h[:4])
}

// LogValue keeps UIDs out of logs.
func (id ID) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("modality", id.Modality),
		slog.String("study", redacted(id.StudyInstanceUID)),
		slog.String("series", redacted(id.SeriesInstanceUID)))
}

// Format keeps UIDs out of every fmt verb.
func (id ID) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, id.Modality+" series "+redacted(id.SeriesInstanceUID))
}
