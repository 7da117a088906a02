package audit

import (
	"path/filepath"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// DefaultBytes is the size after which another file is begun, unless it is configured.
const DefaultBytes = 16 << 20

// defaultFolder is the name of the folder in the data folder.
const defaultFolder = "audit"

// Settings are the section "audit" of the configuration.
type Settings struct {
	Enabled  bool   `json:"enabled" default:"true" doc:"Keep an audit. A runtime without a data folder keeps none unless folder is set."`
	Required bool   `json:"required" default:"true" doc:"Hand out secrets only when that can be recorded. With false they are handed out also while enabled is false."`
	Folder   string `json:"folder" doc:"Where the records lie; a relative path begins in the data folder. The default is audit in the data folder."`
	MaxBytes int    `json:"maxBytes" sre:"min=65536,max=1073741824" default:"16777216" doc:"Size of a file after which another one is begun, in bytes."`
	MaxFiles int    `json:"maxFiles" sre:"min=0" default:"0" doc:"How many files are kept, at least 2; 0 for all. Removing one is recorded."`
}

// Schema describes the section, for reference pages.
func Schema() schema.Object { return schema.For[Settings]() }

// FromConfig reads the section; an absent one gives the defaults. dir is the data folder, "" for none: Folder is then
// empty unless it is configured, and there is no place for an audit.
func FromConfig(section value.Value, dir string) (Settings, error) {
	if section.IsNil() {
		section = value.Obj()
	}
	if err := Schema().CheckStrict(section); err != nil {
		return Settings{}, err
	}
	s, err := schema.Decode[Settings](Schema(), section)
	if err != nil {
		return Settings{}, err
	}
	switch {
	case s.Folder == "" && dir != "":
		s.Folder = filepath.Join(dir, defaultFolder)
	case s.Folder != "" && !filepath.IsAbs(s.Folder):
		if dir == "" {
			return Settings{}, fault.Hint(fault.Newf(fault.Invalid, "folder %q is relative, and there is no data folder", s.Folder), "give a path from the root")
		}
		s.Folder = filepath.Join(dir, s.Folder)
	}
	return s, nil
}
