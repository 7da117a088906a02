// Package parcel packs files for another machine: a zip with a manifest that says what is in it and how it was.
//
// A parcel that comes from elsewhere is not trusted: names, numbers, sizes and checksums are looked at before anything of it
// is used. The same files packed at the same time by the same program make the same bytes.
package parcel

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Bounds of a parcel that is read.
const (
	MaxBytes   = 64 << 20  // of the zip
	maxEntries = 4096      // files
	maxEntry   = 32 << 20  // bytes of a file
	maxTotal   = 128 << 20 // bytes of all files
	maxListing = 4 << 20   // bytes of the manifest
)

// format is the version of parcels that this package writes and reads.
const format = 1

const listing = "manifest.json"

// Entry is one file.
type Entry struct {
	Name string // a path with slashes, as [access.ValidName] has it
	Data []byte
}

// Manifest says what a parcel is.
type Manifest struct {
	Kind string // what it holds: "agents", "support"
	Made time.Time
	By   string // the program that made it, with its version
}

// Pack makes a parcel. Names that are not valid or come twice are [fault.Invalid].
func Pack(m Manifest, entries []Entry) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	files, seen := make([]value.Value, 0, len(entries)), map[string]bool{}
	for _, e := range entries {
		if err := fits(e.Name, seen); err != nil {
			return nil, err
		}
		files = append(files, value.Obj(value.M("name", value.Of(e.Name)), value.M("bytes", value.OfInt(len(e.Data))), value.M("sha256", value.Of(sum(e.Data)))))
	}
	head := value.Obj(
		value.M("format", value.OfInt(format)), value.M("kind", value.Of(m.Kind)), value.M("made", value.Of(m.Made.UTC().Format(time.RFC3339))),
		value.M("by", value.Of(m.By)), value.M("files", value.OfItems(files)),
	)
	for _, e := range append([]Entry{{Name: listing, Data: []byte(head.Indent("  ") + "\n")}}, entries...) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.Name, Method: zip.Deflate, Modified: m.Made.UTC().Truncate(2 * time.Second)})
		if err == nil {
			_, err = w.Write(e.Data)
		}
		if err != nil {
			return nil, fault.New(fault.Internal, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fault.New(fault.Internal, err)
	}
	return out.Bytes(), nil
}

// fits checks a name, which no other has, in whatever case: some disks tell no difference.
func fits(name string, seen map[string]bool) error {
	if err := access.ValidName(name); err != nil {
		return err
	}
	small := strings.ToLower(name)
	if seen[small] || small == listing {
		return fault.Newf(fault.Invalid, "the name %q is there twice", name)
	}
	seen[small] = true
	return nil
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// Unpack reads a parcel. What is damaged, too large, or not what the manifest says is [fault.Invalid] or [fault.Limit], and
// nothing of it is returned.
func Unpack(data []byte) (Manifest, []Entry, error) {
	if len(data) > MaxBytes {
		return Manifest{}, nil, tooLarge()
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return Manifest{}, nil, fault.Hint(fault.Newf(fault.Invalid, "it is no zip: %w", err), "give a file that sre export has written")
	}
	if len(z.File) == 0 || z.File[0].Name != listing || len(z.File) > maxEntries+1 {
		return Manifest{}, nil, fault.Hint(fault.Newf(fault.Invalid, "it has no %s", listing), "give a file that sre export has written")
	}
	head, err := read(z.File[0], maxListing)
	if err != nil {
		return Manifest{}, nil, err
	}
	m, files, err := manifest(head)
	if err != nil {
		return Manifest{}, nil, err
	}
	if files.Len() != len(z.File)-1 {
		return Manifest{}, nil, fault.Newf(fault.Invalid, "it has %d files, and its manifest says %d", len(z.File)-1, files.Len())
	}
	var entries []Entry
	seen, total := map[string]bool{}, 0
	for i, f := range z.File[1:] {
		said := files.At(i)
		if err := fits(f.Name, seen); err != nil {
			return Manifest{}, nil, err
		}
		text, err := read(f, min(maxEntry, maxTotal-total))
		if err != nil {
			return Manifest{}, nil, err
		}
		if said.GetString("name") != f.Name || said.GetString("sha256") != sum(text) {
			return Manifest{}, nil, fault.Newf(fault.Invalid, "%q is not what the manifest says: it was changed", f.Name)
		}
		total += len(text)
		entries = append(entries, Entry{Name: f.Name, Data: text})
	}
	return m, entries, nil
}

func tooLarge() error { return fault.Newf(fault.Limit, "the parcel is larger than one may be") }

// read reads one file of the zip, no more of it than most bytes: what its header says is not believed.
func read(f *zip.File, most int) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if closing := r.Close(); err == nil {
		err = closing
	}
	switch {
	case len(text) > most:
		return nil, tooLarge()
	case err != nil:
		return nil, fault.Newf(fault.Invalid, "%q is damaged: %w", f.Name, err)
	}
	return text, nil
}

// manifest reads the manifest and the list of its files.
func manifest(text []byte) (Manifest, value.Value, error) {
	v, err := value.Decode(text, value.DefaultLimits())
	if err != nil {
		return Manifest{}, v, fault.Newf(fault.Invalid, "the %s cannot be read: %w", listing, err)
	}
	if n, _ := v.Get("format").Num(); n != format {
		err := fault.Newf(fault.Invalid, "it is of format %s, and this program knows %d", v.Get("format").Text(), format)
		return Manifest{}, v, fault.Hint(err, "use the version that made it: %s", v.GetString("by"))
	}
	made, err := time.Parse(time.RFC3339, v.GetString("made"))
	if err != nil {
		return Manifest{}, v, fault.Newf(fault.Invalid, "the %s has no time", listing)
	}
	return Manifest{Kind: v.GetString("kind"), Made: made, By: v.GetString("by")}, v.Get("files"), nil
}
