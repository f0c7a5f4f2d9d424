package phantom

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/internal/par"
)

// SeriesID says whose scan a series is. The UIDs of study, series, frame of
// reference and images follow from it and from the voxels.
type SeriesID struct {
	PatientName string // PN, family^given
	PatientID   string // LO
	PatientSex  string // M, F, O or empty
}

// LogValue keeps the identity out of logs.
func (SeriesID) LogValue() slog.Value { return slog.StringValue("[patient]") }

// SeriesID names the synthetic patient: HALSTED^SAMPLE, SAMPLE-<seed>.
func (l *Liver) SeriesID() SeriesID {
	return SeriesID{PatientName: "HALSTED^SAMPLE", PatientID: fmt.Sprintf("SAMPLE-%d", l.seed), PatientSex: "O"}
}

// Artefacts carry no clock time: every series has this date and time.
const seriesDate, seriesTime = "20200101", "120000"

// WriteSeries writes v as CT Image Storage objects (PS3.3 A.3), one file per
// slice, named CT00001.dcm upwards from k = 0, explicit VR little endian with
// signed 16-bit pixels. dir must not exist or be empty, and holds all files or,
// after an error, none: they are written and synced in a folder beside it that
// is then renamed. Errors: a volume that is not HU or does not fill its grid,
// a dir with files in it, ctx.Err(), or what the file system returned.
func WriteSeries(ctx context.Context, dir string, v *imaging.Volume, id SeriesID) (err error) {
	if err := v.Validate(); err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	if v.Kind != imaging.KindHU {
		return fmt.Errorf("phantom: write series: the volume holds %v values; CT images need HU", v.Kind)
	}
	if v.Grid.Size[0] > math.MaxUint16 || v.Grid.Size[1] > math.MaxUint16 {
		return fmt.Errorf("phantom: write series: slices of %d×%d pixels; DICOM allows at most 65535 a side", v.Grid.Size[0], v.Grid.Size[1])
	}
	switch old, err := os.ReadDir(dir); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return fmt.Errorf("phantom: write series: %w", err)
	case len(old) > 0:
		return fmt.Errorf("phantom: write series: folder %s holds %d entries already; name a new or an empty one", filepath.Base(dir), len(old))
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	stage, err := os.MkdirTemp(parent, ".series-*")
	if err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(stage))
		}
	}()
	if err := os.Chmod(stage, 0o755); err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	root, err := os.OpenRoot(stage)
	if err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	content := contentHash(v)
	err = par.ChunksCtx(ctx, v.Grid.Size[2], 1, func(k, _ int) error {
		if err := writeSlice(root, fmt.Sprintf("CT%05d.dcm", k+1), v, k, id, content); err != nil {
			return fmt.Errorf("phantom: write slice %d: %w", k, err)
		}
		return nil
	})
	if err = errors.Join(err, root.Close()); err != nil {
		return err
	}
	if err := syncDir(stage); err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	if err := os.Rename(stage, dir); err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	if err := syncDir(parent); err != nil {
		return fmt.Errorf("phantom: write series: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// contentHash is a digest of where the voxels lie and what they hold.
func contentHash(v *imaging.Volume) string {
	h := sha256.New()
	g := v.Grid
	fmt.Fprintf(h, "%v %v %v %v %v\n", g.Size, g.Origin, g.Axes, v.Slope, v.Intercept)
	buf := make([]byte, 0, 1<<16)
	for n := 0; n < len(v.Data); {
		buf = buf[:0]
		for ; n < len(v.Data) && len(buf) < cap(buf); n++ {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(v.Data[n]))
		}
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// writeSlice writes slice k and syncs it.
func writeSlice(root *os.Root, name string, v *imaging.Volume, k int, id SeriesID, content string) error {
	ds, err := sliceObject(v, k, id, content)
	if err != nil {
		return err
	}
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(dicomfile.Write(f, ds), f.Sync(), f.Close())
}

// sliceObject is slice k as a CT Image: the modules of PS3.3 table A.3-1 with
// their type 1 and 2 attributes.
func sliceObject(v *imaging.Volume, k int, id SeriesID, content string) (*dicomfile.Dataset, error) {
	g := v.Grid
	sp := g.SpacingMM()
	row, down := r3.Unit(g.Axes[0]), r3.Unit(g.Axes[1])
	at := g.Point(0, 0, float64(k))
	slice := v.Data[k*g.Size[0]*g.Size[1] : (k+1)*g.Size[0]*g.Size[1]]
	pixels := make([]byte, 0, 2*len(slice))
	for _, x := range slice {
		pixels = binary.LittleEndian.AppendUint16(pixels, uint16(x))
	}
	uid := func(role ...string) string { return dicomfile.HashUID(append(role, id.PatientID, content)...) }
	ds := dicomfile.New()
	var first error
	set := func(t dicomfile.Tag, values ...any) {
		if err := ds.Set(t, values...); err != nil && first == nil {
			first = err
		}
	}
	// SOP Common
	set(dicomfile.SOPClassUID, dicomfile.CTImageStorage)
	set(dicomfile.SOPInstanceUID, uid("image", fmt.Sprint(k)))
	// Patient, Patient Study
	set(dicomfile.PatientName, id.PatientName)
	set(dicomfile.PatientID, id.PatientID)
	set(dicomfile.PatientBirthDate)
	set(dicomfile.PatientSex, id.PatientSex)
	// General Study
	set(dicomfile.StudyInstanceUID, uid("study"))
	set(dicomfile.StudyDate, seriesDate)
	set(dicomfile.StudyTime, seriesTime)
	set(dicomfile.ReferringPhysicianName)
	set(dicomfile.StudyID, "1")
	set(dicomfile.AccessionNumber)
	set(dicomfile.StudyDescription, "Synthetic abdomen")
	// General Series
	set(dicomfile.Modality, "CT")
	set(dicomfile.SeriesInstanceUID, uid("series"))
	set(dicomfile.SeriesNumber, 1)
	set(dicomfile.SeriesDate, seriesDate)
	set(dicomfile.SeriesTime, seriesTime)
	set(dicomfile.SeriesDescription, "Portal venous phase")
	set(dicomfile.BodyPartExamined, "ABDOMEN")
	set(dicomfile.PatientPosition, "HFS")
	// Frame of Reference
	set(dicomfile.FrameOfReferenceUID, uid("frame of reference"))
	set(dicomfile.PositionReferenceIndicator)
	// General Equipment
	set(dicomfile.Manufacturer, "Halsted")
	set(dicomfile.ManufacturerModelName, "imaging/phantom")
	// General Image, General Acquisition
	set(dicomfile.ImageType, "ORIGINAL", "PRIMARY", "AXIAL")
	set(dicomfile.InstanceNumber, k+1)
	set(dicomfile.AcquisitionNumber, 1)
	set(dicomfile.AcquisitionDate, seriesDate)
	set(dicomfile.AcquisitionTime, seriesTime)
	set(dicomfile.ContentDate, seriesDate)
	set(dicomfile.ContentTime, seriesTime)
	set(dicomfile.BurnedInAnnotation, "NO")
	// Contrast/Bolus
	set(dicomfile.ContrastBolusAgent, "Simulated iodine")
	// Image Plane
	set(dicomfile.PixelSpacing, sp[1], sp[0]) // between rows, then between columns
	set(dicomfile.ImageOrientationPatient, row.X, row.Y, row.Z, down.X, down.Y, down.Z)
	set(dicomfile.ImagePositionPatient, at.X, at.Y, at.Z)
	set(dicomfile.SliceThickness, sp[2])
	set(dicomfile.SliceLocation, r3.Dot(at, r3.Cross(row, down)))
	// Image Pixel
	set(dicomfile.SamplesPerPixel, 1)
	set(dicomfile.PhotometricInterpretation, "MONOCHROME2")
	set(dicomfile.Rows, g.Size[1])
	set(dicomfile.Columns, g.Size[0])
	set(dicomfile.BitsAllocated, 16)
	set(dicomfile.BitsStored, 16)
	set(dicomfile.HighBit, 15)
	set(dicomfile.PixelRepresentation, 1)
	set(dicomfile.PixelData, pixels)
	// CT Image
	set(dicomfile.RescaleIntercept, v.Intercept)
	set(dicomfile.RescaleSlope, v.Slope)
	set(dicomfile.RescaleType, "HU")
	set(dicomfile.KVP, 120)
	// VOI LUT: an abdomen window
	set(dicomfile.WindowCenter, 60)
	set(dicomfile.WindowWidth, 400)
	return ds, first
}
