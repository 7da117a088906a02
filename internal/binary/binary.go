// Package binary turns what an input of a file type holds into a file.
//
// Such an input may hold an address of a stored file, an address of the web, a
// data URL, base64, plain text, an upload or a file object that another component
// gave. Reading them is an effect: the web is reached through the client of the
// call alone, stored files through the storage of the candidate who asks. What
// comes out is the object that agents pass around: {mimetype, size, url, name}.
package binary

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/smythfs"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// File is a file with its bytes. The caller must not change them.
type File struct {
	Name string
	MIME string // "" when it is not known
	Data []byte
}

// keep is how long the files of inputs are kept.
const keep = 24 * time.Hour

// Store keeps a file among the temporary files of the agent, and returns its object.
func Store(ctx context.Context, call *component.Call, f File) (value.Value, error) {
	team, err := call.Account().Team(ctx)
	if err != nil {
		return value.Value{}, err
	}
	owner, err := access.Team(team)
	if err != nil {
		return value.Value{}, err
	}
	u := smythfs.URI{Owner: owner, Path: call.Agent.ID + "/_temp/" + f.Name}
	o := storage.Options{TTL: keep, Metadata: value.Obj(value.M("ContentType", value.Of(f.MIME)))}
	if err := call.Storage().Write(ctx, u.Name(team), f.Data, o); err != nil {
		return value.Value{}, err
	}
	return Object(f.MIME, len(f.Data), u.String(), f.Name), nil
}

// Object returns the form in which agents pass files around. size is in bytes.
func Object(mime string, size int, url, name string) value.Value {
	return value.Obj(value.M("mimetype", value.Of(mime)), value.M("size", value.OfInt(size)), value.M("url", value.Of(url)), value.M("name", value.Of(name)))
}

// IsObject reports whether a value is such an object.
func IsObject(v value.Value) bool {
	return v.IsObject() && v.GetString("url") != "" && v.Has("mimetype")
}

// stored reads a file of the storage service as the candidate of the call. The address must be one of its own team.
func stored(ctx context.Context, call *component.Call, address string) (File, error) {
	u, err := smythfs.Parse(address)
	if err != nil {
		return File{}, err
	}
	team, err := call.Account().Team(ctx)
	if err != nil {
		return File{}, err
	}
	if u.Owner.Role() == access.RoleTeam && u.Owner.ID() != team {
		return File{}, &fault.Error{Op: "storage.read", Resource: address, Kind: fault.Denied, Err: fault.Newf(fault.Denied, "Access Denied")}
	}
	data, err := read(ctx, call, u.Name(team))
	if err != nil {
		return File{}, err
	}
	name := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	return File{Name: name, MIME: mimeOf(name, data), Data: data}, nil
}

// read reads a stored file of bounded size. What counts is what comes, not what a record says.
func read(ctx context.Context, call *component.Call, name string) ([]byte, error) {
	object, err := call.Storage().Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return readAll(object.Body)
}

// readAll reads a file and closes it.
func readAll(body io.ReadCloser) ([]byte, error) {
	most := int64(limits.Default().ResponseBytes)
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	if closing := body.Close(); err == nil {
		err = closing
	}
	if err == nil && int64(len(data)) > most {
		err = tooLarge()
	}
	return data, err
}

func tooLarge() error {
	return fault.Limitf(limits.ResponseBytes, "LIMIT_EXCEEDED(%s): the file has more than %d bytes", limits.ResponseBytes, limits.Default().ResponseBytes)
}

// Make names the bytes of a new file. mime may be empty; then the bytes tell.
func Make(call *component.Call, mime string, data []byte) File {
	if mime = bare(mime); mime == "" {
		mime = byContent(data)
	}
	if mime == "" {
		mime = "application/octet-stream"
	}
	return File{Name: withEnding(call.Effects.NewID(), mime), MIME: mime, Data: data}
}
