// Package publicfile gives stored files addresses that anybody can open: for an hour, or for as long as the file is there.
//
// An address holds an id that nobody can guess and nothing else. What it stands for
// is an entry of the cache, which the one who made the address owns. Whoever opens
// it reads the file with the rights of that owner, as they are at that moment; so an
// address is worth what its owner may read, and an entry that names somebody else
// than its owner is worth nothing.
package publicfile

import (
	"context"
	"encoding/hex"
	"path"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/smythfs"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// Paths below the public address of the runtime.
const (
	TemporaryPath = "/_temp/"   // of addresses that end
	ResourcePath  = "/storage/" // of addresses that stay
)

// place stands before the id in an address. The TypeScript runtime derives it from the names of its connectors; it says
// nothing, and is kept so that addresses look alike.
const place = "f56001"

// Hour is how long a temporary address lasts unless told otherwise.
const Hour = time.Hour

// Names of the entries in the cache, before the id.
const (
	keyTemporary = "pub_url:"
	keyResource  = "storage_url-"
)

// Members of an entry.
const (
	memberCandidate = "accessCandidate"
	memberName      = "name"
	memberType      = "contentType"
)

// Maker makes addresses for one candidate.
type Maker struct {
	Scope   scope.Scope
	Effects effect.Source
}

// Temporary returns an address of a file that lasts for ttl, an hour when it is 0. A file that is not there, or that the
// candidate may not read, is [fault.NotFound].
func (m Maker) Temporary(ctx context.Context, uri smythfs.URI, ttl time.Duration) (string, error) {
	if ttl == 0 {
		ttl = Hour
	}
	id := m.newID()
	if err := m.keep(ctx, keyTemporary+id, uri, ttl); err != nil {
		return "", err
	}
	return m.address(ctx, TemporaryPath+place+"/"+id)
}

// Resource returns an address of a file that stays as long as the file and the cache do. Only agents make them.
func (m Maker) Resource(ctx context.Context, uri smythfs.URI) (string, error) {
	if m.Scope.Candidate().Role() != access.RoleAgent {
		return "", fault.Newf(fault.Denied, "Only agents can generate resource urls")
	}
	id := m.newID()
	if err := m.keep(ctx, keyResource+id, uri, 0); err != nil {
		return "", err
	}
	return m.address(ctx, ResourcePath+place+"/"+id+path.Ext(uri.Path))
}

// Destroy ends a temporary address of the candidate. One that has ended is no error.
func (m Maker) Destroy(ctx context.Context, address string) error {
	id := address[strings.LastIndexByte(address, '/')+1:]
	if !validID(id) {
		return fault.Newf(fault.Invalid, "%.80q is no temporary address", address)
	}
	return m.Scope.Cache().Delete(ctx, keyTemporary+id)
}

// keep stores what an address stands for.
func (m Maker) keep(ctx context.Context, key string, uri smythfs.URI, ttl time.Duration) error {
	team, err := m.Scope.Account().Team(ctx)
	if err != nil {
		return err
	}
	if uri.Owner.Role() == access.RoleTeam && uri.Owner.ID() != team {
		return missing()
	}
	name := uri.Name(team)
	info, err := m.Scope.Storage().Stat(ctx, name)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		return missing()
	}
	if err != nil {
		return err
	}
	entry := value.Obj(
		value.M(memberCandidate, value.Of(m.Scope.Candidate().String())), value.M(memberName, value.Of(name)),
		value.M(memberType, value.Of(info.Metadata.GetString("ContentType"))),
	)
	return m.Scope.Cache().Set(ctx, key, entry, cache.Options{TTL: ttl, ACL: access.NewACL().With(access.Public(), access.RightRead)})
}

func missing() error { return fault.Newf(fault.NotFound, "Resource does not exist") }

func (m Maker) address(ctx context.Context, path string) (string, error) {
	base, err := m.Scope.Router().Base(ctx)
	return base + path, err
}

// newID returns 128 random bits in the shape of a UUID. It has no version: those bits are random, too.
func (m Maker) newID() string {
	var b [16]byte
	m.Effects.Random(b[:])
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// validID reports whether a text is written like an id.
func validID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
