package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"halsted/planner"
	"halsted/planner/store"
	"halsted/proto/frame"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

const (
	chunkBytes = 1 << 20 // of a topology; clients accept 4 MiB by default
	maxAccept  = 32      // encodings a client may offer
	// pollEvery is how often a watcher looks in the store without news: the bus
	// only hurries, and a run may be written by something it does not carry.
	pollEvery = 2 * time.Second
)

type frames struct {
	pb.UnimplementedFrameServiceServer
	*Server
}

// WatchFrames sends all frames of a run; see the .proto file.
func (s frames) WatchFrames(in *pb.WatchFramesRequest, out grpc.ServerStreamingServer[pb.WatchFramesResponse]) error {
	ctx, stop := s.stoppable(out.Context())
	defer stop()
	run, err := s.run(ctx, "run", in.Run)
	if err != nil {
		return err
	}
	enc, err := chooseEncoding(in.Accept)
	if err != nil {
		return err
	}
	w := &watcher{s: s.Server, out: out, id: run.ID, enc: enc}
	if in.Epoch == run.Epoch {
		if in.AfterSeq > run.LastSeq {
			return badField("after_seq", "%d is behind the last frame, %d", in.AfterSeq, run.LastSeq)
		}
		w.epoch, w.seq = in.Epoch, in.AfterSeq
	}
	sub := s.queue.Bus().Subscribe(run.ID)
	defer sub.Close()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		done, err := w.catchUp(ctx)
		if done || err != nil {
			return err
		}
		for wait := true; wait; {
			select {
			case f := <-sub.C:
				// The next frame goes straight out; anything else is in the store.
				if f != nil && w.header != nil && f.Epoch == w.epoch && f.Seq == w.seq+1 {
					if err := w.send(f); err != nil {
						return err
					}
					continue
				}
				wait = f != nil && f.Epoch == w.epoch && f.Seq <= w.seq // sent already
			case <-poll.C:
				wait = false
			case <-ctx.Done():
				return s.whyDone(ctx)
			}
		}
	}
}

// watcher is the state of one WatchFrames call.
type watcher struct {
	s      *Server
	out    grpc.ServerStreamingServer[pb.WatchFramesResponse]
	id     string
	enc    *pb.Encoding
	format frame.Format
	header *pb.Header // that holds; nil until the epoch's first frame
	status *pb.Run    // last sent
	epoch  uint64
	seq    uint64 // last sent
}

// catchUp sends what the store has: status, then the frames up to now. It
// reports done after the status of a run that has ended and all its frames.
func (w *watcher) catchUp(ctx context.Context) (done bool, err error) {
	// The run is read before its frames: when it has ended there, all its
	// frames are sealed.
	run, err := w.s.st.Run(ctx, w.id)
	if err != nil {
		return false, err
	}
	if run.Epoch != w.epoch {
		w.epoch, w.seq, w.header = run.Epoch, 0, nil
	}
	if !run.State.Done() {
		if err := w.sendStatus(run); err != nil {
			return false, err
		}
	}
	for f, err := range w.s.st.Frames(ctx, w.id, w.epoch, w.seq) {
		if err != nil {
			return false, err
		}
		if w.header == nil {
			if err := w.sendHeader(run, f); err != nil {
				return false, err
			}
		}
		if err := w.send(f); err != nil {
			return false, err
		}
	}
	if !run.State.Done() {
		return false, nil
	}
	return true, w.sendStatus(run)
}

func (w *watcher) sendStatus(run planner.Run) error {
	m := toRun(run)
	if w.status != nil && w.status.State == m.State && w.status.Stage == m.Stage && w.status.Progress == m.Progress && w.status.Epoch == m.Epoch {
		return nil
	}
	w.status = m
	return w.out.Send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Status{Status: m}})
}

// sendHeader tells what the frames from f on have in common.
func (w *watcher) sendHeader(run planner.Run, f *planner.DisplayFrame) error {
	if run.Topology == "" { // sealed after run was read
		now, err := w.s.st.Run(w.out.Context(), w.id)
		if err != nil {
			return err
		}
		run = now
	}
	enc := &pb.Encoding{Position: w.enc.Position, Field: w.enc.Field, Compression: w.enc.Compression}
	h := &pb.Header{
		Run: runName(run.Case, run.Plan, run.ID), Epoch: f.Epoch, TopologyHash: run.Topology, VertexCount: uint32(len(f.Pos)),
		Encoding: enc, FirstSeq: f.Seq,
	}
	for _, fd := range f.Fields {
		if len(w.enc.Fields) == 0 || contains(w.enc.Fields, fd.ID) {
			enc.Fields = append(enc.Fields, fd.ID)
			h.Fields = append(h.Fields, toFieldInfo(fd))
		}
	}
	w.header = h
	w.format = frame.Format{Position: frame.Position(enc.Position), Field: frame.Field(enc.Field), Compression: frame.Compression(enc.Compression)}
	return w.out.Send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Header{Header: h}})
}

// send packs and sends one frame; it waits while the client is slow.
func (w *watcher) send(f *planner.DisplayFrame) error {
	if len(f.Pos) != int(w.header.VertexCount) {
		return fmt.Errorf("run %s: frame %d has %d vertices, the first had %d", w.id, f.Seq, len(f.Pos), w.header.VertexCount)
	}
	values := make([][]float32, len(w.header.Fields))
	infos, changed := make([]*pb.FieldInfo, len(values)), false
	for k, info := range w.header.Fields {
		for _, fd := range f.Fields {
			if fd.ID == info.Id && fd.Unit == info.Unit {
				values[k], infos[k] = fd.Values, toFieldInfo(fd)
			}
		}
		if infos[k] == nil || values[k] == nil && len(f.Pos) > 0 {
			return fmt.Errorf("run %s: frame %d lacks the field %s in %s", w.id, f.Seq, info.Id, info.Unit)
		}
		changed = changed || !proto.Equal(info, infos[k])
	}
	if changed { // this state was solved otherwise than the one before
		h := proto.CloneOf(w.header)
		h.Fields, h.FirstSeq = infos, f.Seq
		if err := w.out.Send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Header{Header: h}}); err != nil {
			return err
		}
		w.header = h
	}
	p, err := frame.Encode(w.format, f.Pos, values)
	if err != nil {
		return fmt.Errorf("run %s: frame %d: %w", w.id, f.Seq, err)
	}
	m := &pb.Frame{Epoch: f.Epoch, Seq: f.Seq, SimTimeS: f.SimTimeS, Crc32C: p.CRC32C, Payload: p.Bytes}
	if w.format.Position == frame.PositionUint16Box {
		m.BboxOriginMm, m.BboxStepMm = p.OriginMM[:], p.StepMM
	}
	for _, r := range p.Ranges {
		m.Fields = append(m.Fields, &pb.FieldRange{Min: r.Min, Max: r.Max, Step: r.Step})
	}
	if err := w.out.Send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Frame{Frame: m}}); err != nil {
		return err
	}
	w.seq = f.Seq
	return nil
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// chooseEncoding takes the first offer that the server knows and fills in the
// defaults.
func chooseEncoding(accept []*pb.Encoding) (*pb.Encoding, error) {
	if len(accept) > maxAccept {
		return nil, badField("accept", "%d encodings, at most %d", len(accept), maxAccept)
	}
	if len(accept) == 0 {
		accept = []*pb.Encoding{{}}
	}
	for n, a := range accept {
		if len(a.GetFields()) > frame.MaxFields {
			return nil, badField(index("accept", n, "fields"), "%d fields, at most %d", len(a.Fields), frame.MaxFields)
		}
		e := &pb.Encoding{
			Position:    orDefault(a.GetPosition(), pb.PositionFormat_POSITION_FORMAT_UINT16_BBOX),
			Field:       orDefault(a.GetField(), pb.FieldFormat_FIELD_FORMAT_UINT16),
			Compression: orDefault(a.GetCompression(), pb.Compression_COMPRESSION_NONE),
			Fields:      a.GetFields(),
		}
		// The numbers of the wire and of package frame are the same; a test checks.
		f := frame.Format{Position: frame.Position(e.Position), Field: frame.Field(e.Field), Compression: frame.Compression(e.Compression)}
		known := e.Position < 256 && e.Field < 256 && e.Compression < 256 && e.Position > 0 && e.Field > 0 && e.Compression > 0
		if known && f.Validate() == nil {
			return e, nil
		}
	}
	return nil, badField("accept", "none of the %d encodings is known; UINT16_BBOX, UINT16 and NONE always are", len(accept))
}

func orDefault[T ~int32](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// GetTopology streams the topology's bytes; the run or case must name it.
func (s frames) GetTopology(in *pb.GetTopologyRequest, out grpc.ServerStreamingServer[pb.GetTopologyResponse]) error {
	ctx, stop := s.stoppable(out.Context())
	defer stop()
	if store.CheckKey(in.TopologyHash) != nil {
		return badField("topology_hash", "is not 64 hex digits")
	}
	named, err := s.topologyNamedBy(ctx, in.Parent)
	if err != nil {
		return err
	}
	if named != in.TopologyHash {
		return fmt.Errorf("topology %s of %s: %w", in.TopologyHash, in.Parent, store.ErrNotFound)
	}
	b, err := s.st.OpenBlob(ctx, in.TopologyHash)
	if err != nil {
		return err
	}
	defer b.Close()
	total := uint64(b.Size())
	if in.OffsetBytes > total {
		return badField("offset_bytes", "%d is behind the end, %d", in.OffsetBytes, total)
	}
	for off := in.OffsetBytes; ; {
		if ctx.Err() != nil {
			return s.whyDone(ctx)
		}
		chunk := make([]byte, min(chunkBytes, total-off))
		if _, err := io.ReadFull(io.NewSectionReader(b, int64(off), int64(len(chunk))), chunk); err != nil {
			return fmt.Errorf("topology %s: %w", in.TopologyHash, err)
		}
		if err := out.Send(&pb.GetTopologyResponse{TotalBytes: total, OffsetBytes: off, Chunk: chunk}); err != nil {
			return err
		}
		if off += uint64(len(chunk)); off == total {
			return nil
		}
	}
}

// topologyNamedBy returns the topology hash of a run or a case.
func (s *Server) topologyNamedBy(ctx context.Context, parent string) (string, error) {
	if ids, err := parseName("parent", parent, casePattern); err == nil {
		c, err := s.st.Case(ctx, ids[0])
		return c.Surface, err
	}
	r, err := s.run(ctx, "parent", parent)
	if _, bad := errors.AsType[*FieldError](err); bad {
		err = badField("parent", "%.200q is neither the name of a run nor of a case", parent)
	}
	return r.Topology, err
}
