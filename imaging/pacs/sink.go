package pacs

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
)

// Sink keeps what a Node receives. Calls come from many associations at once.
type Sink interface {
	// Store keeps one data set, streamed from data in transfer syntax
	// in.TransferSyntax, and returns when it is safe: the sender is told
	// "stored" right after. It must read data to io.EOF. Any other error from
	// data means that the association broke; then nothing may remain.
	//
	// A *StatusError chooses the status the sender gets; errors from the file
	// system become 0xA700 (out of resources), others 0x0110.
	Store(ctx context.Context, in Instance, data io.Reader) (Stored, error)

	// Done is called once after an association that stored something, and
	// before that each time it has stored another maxArrival instances (then
	// with More set). The next step of the walk begins here, so it should hand
	// over and return.
	Done(ctx context.Context, a Arrival)
}

// maxArrival bounds the memory of one association's list.
const maxArrival = 65536

// Instance names a data set that is on its way in. All UIDs are valid
// (ValidUID) and the data set itself carries them.
type Instance struct {
	SOPClassUID, SOPInstanceUID string
	StudyUID, SeriesUID         string
	TransferSyntax              string
	CallingAE                   string
	Remote                      netip.AddrPort
}

// LogValue keeps UIDs, by which a patient can be found, out of logs.
func (in Instance) LogValue() slog.Value {
	return slog.GroupValue(slog.String("sop_class", in.SOPClassUID), slog.String("transfer_syntax", in.TransferSyntax),
		slog.String("calling_ae", in.CallingAE))
}

// Stored says where a Sink put an instance.
type Stored struct {
	SOPInstanceUID string
	Path           string // as the Sink names it; a file path for Dir
	Bytes          int64  // length of the data set
	Duplicate      bool   // the same object was there before
}

// Arrival is what one association brought.
type Arrival struct {
	CallingAE string
	Remote    netip.AddrPort
	Released  bool // ended as it should; false: aborted, broken or timed out
	More      bool // the association goes on
	Series    []Series
}

// Series is what one association brought of one series, in order of arrival.
type Series struct {
	StudyUID, SeriesUID string
	Instances           []Stored
}

// Count returns how many instances arrived, duplicates included.
func (a Arrival) Count() int {
	n := 0
	for _, s := range a.Series {
		n += len(s.Instances)
	}
	return n
}

// LogValue keeps UIDs and paths out of logs.
func (a Arrival) LogValue() slog.Value {
	return slog.GroupValue(slog.String("calling_ae", a.CallingAE), slog.Bool("released", a.Released),
		slog.Int("series", len(a.Series)), slog.Int("instances", a.Count()))
}

func (a *Arrival) add(in Instance, st Stored) {
	for i := range a.Series {
		if s := &a.Series[i]; s.SeriesUID == in.SeriesUID && s.StudyUID == in.StudyUID {
			s.Instances = append(s.Instances, st)
			return
		}
	}
	a.Series = append(a.Series, Series{in.StudyUID, in.SeriesUID, []Stored{st}})
}
