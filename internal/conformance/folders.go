package conformance

import (
	"embed"
	"io/fs"
	"os"
	"strings"

	"github.com/sre-go/sre/fault"
)

// FoldersVariable is the environment variable that names folders of cases to run instead of the project's own copy,
// with ":" between them. A test reads it and passes it as [Options.Folders].
const FoldersVariable = "SRE_CONFORMANCE"

//go:embed all:testdata/cases
var recordings embed.FS

//go:embed differences.json
var differencesText string

// Recorded returns the cases that the project keeps.
func Recorded() ([]*Case, error) {
	own, err := fs.Sub(recordings, "testdata")
	if err != nil {
		return nil, fault.Newf(fault.Internal, "open recorded cases: %w", err)
	}
	return Load(own, nil)
}

// Differences returns the project's table of intended differences.
func Differences() ([]Difference, error) { return ParseDifferences(differencesText) }

// FromFolders returns the cases of a list of folders with ":" between them, or the project's own for an empty list.
// Folders without "_shared" take that of the project's own cases.
func FromFolders(list string) ([]*Case, error) {
	if strings.TrimSpace(list) == "" {
		return Recorded()
	}
	own, err := fs.Sub(recordings, "testdata/cases")
	if err != nil {
		return nil, fault.Newf(fault.Internal, "open recorded cases: %w", err)
	}
	shared, err := loadShared(own)
	if err != nil {
		return nil, err
	}
	var all []*Case
	for folder := range strings.SplitSeq(list, ":") {
		if folder = strings.TrimSpace(folder); folder == "" {
			continue
		}
		cases, err := Load(os.DirFS(folder), shared)
		if err != nil {
			return nil, fault.Hint(fault.New(fault.KindOf(err), &fs.PathError{Op: "load cases", Path: folder, Err: err}),
				"%s lists folders that hold area/case/case.json", FoldersVariable)
		}
		all = append(all, cases...)
	}
	return all, nil
}
