package googlellm

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// fileKey is a file by what it holds.
type fileKey struct {
	mime string
	hash [sha256.Size]byte
}

func keyOf(f llm.File) fileKey { return fileKey{f.MIME, sha256.Sum256(f.Data)} }

const (
	maxInline = 12 << 20 // bytes of files in one request; as base64 they fill most of what the provider takes
	poll      = 2 * time.Second
	maxPolls  = 150
)

// files uploads what is too large to go with the request, see https://ai.google.dev/gemini-api/docs/files. It returns the
// addresses, and what takes the files away again; the provider does so by itself after two days. In the cloud there is no
// such place.
func (c *client) files(to *route, list []llm.Message) (addresses map[fileKey]string, done func(), err error) {
	var names []string
	done = func() {
		for _, name := range names {
			to.remove(name)
		}
	}
	inlined := 0
	for _, m := range list {
		for _, part := range m.Content {
			f, ok := part.(llm.File)
			if !ok {
				continue
			}
			if inlined+len(f.Data) <= maxInline {
				inlined += len(f.Data)
				continue
			}
			if c.cloud {
				err := fault.Newf(fault.Invalid, "the files of the conversation have more than %d MiB together, which Vertex AI does not take", maxInline>>20)
				return nil, done, fault.Hint(err, "send fewer or smaller files, or use GoogleAI")
			}
			if addresses == nil {
				addresses = map[fileKey]string{}
			}
			key := keyOf(f)
			if _, known := addresses[key]; known {
				continue
			}
			name, address, err := c.upload(to, f)
			if name != "" {
				names = append(names, name)
			}
			if err != nil {
				done()
				return nil, func() {}, err
			}
			addresses[key] = address
		}
	}
	return addresses, done, nil
}

// upload sends a file and waits until the provider has looked through it.
func (c *client) upload(to *route, f llm.File) (name, address string, err error) {
	header := to.header.Clone()
	header.Set("X-Goog-Upload-Protocol", "resumable")
	header.Set("X-Goog-Upload-Command", "start")
	header.Set("X-Goog-Upload-Header-Content-Length", strconv.Itoa(len(f.Data)))
	header.Set("X-Goog-Upload-Header-Content-Type", f.MIME)
	answer, err := to.Send(to.ctx, http.MethodPost, to.root+"/upload/v1beta/files", header, "application/json", []byte(`{"file":{}}`))
	if err != nil {
		return "", "", err
	}
	if err := answer.Body.Close(); err != nil {
		return "", "", fault.New(fault.Unavailable, err)
	}
	place := answer.Header.Get("X-Goog-Upload-Url")
	if !sameOrigin(to.root, place) {
		return "", "", fault.Newf(fault.Unavailable, "the provider wants the file to be sent to another host")
	}
	header = to.header.Clone()
	header.Set("X-Goog-Upload-Offset", "0")
	header.Set("X-Goog-Upload-Command", "upload, finalize")
	if answer, err = to.Send(to.ctx, http.MethodPost, place, header, "application/octet-stream", f.Data); err != nil {
		return "", "", err
	}
	v, err := to.Whole(to.ctx, answer)
	if err != nil {
		return "", "", err
	}
	v = v.Get("file")
	if name = v.GetString("name"); !isFile(name) {
		return "", "", fault.Newf(fault.Unavailable, "the provider did not say where the file is")
	}
	for range maxPolls {
		switch v.GetString("state") {
		case "ACTIVE", "":
			return name, v.GetString("uri"), nil
		case "FAILED":
			return name, "", fault.Newf(fault.Invalid, "the provider cannot read the file of the type %s", f.MIME)
		}
		if err := c.env.Effects.Sleep(to.ctx, poll); err != nil {
			return name, "", err
		}
		if answer, err = to.Send(to.ctx, http.MethodGet, to.root+"/v1beta/"+name, to.header, "", nil); err != nil {
			return name, "", err
		}
		if v, err = to.Whole(to.ctx, answer); err != nil {
			return name, "", err
		}
	}
	return name, "", fault.Newf(fault.Timeout, "the provider did not look through the file in time")
}

// remove takes an uploaded file away. When that fails, the provider does it later.
func (to *route) remove(name string) {
	ctx, cancel := context.WithTimeout(to.ctx, 5*time.Second)
	defer cancel()
	if answer, err := to.Send(ctx, http.MethodDelete, to.root+"/v1beta/"+name, to.header, "", nil); err == nil {
		_ = answer.Body.Close() // nothing of it is wanted
	}
}

// isFile reports whether a name is one that the provider gives files: it becomes a part of an address.
func isFile(name string) bool {
	id, ok := strings.CutPrefix(name, "files/")
	return ok && id != "" && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '-' && r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

func sameOrigin(a, b string) bool {
	x, err := url.Parse(a)
	if err != nil {
		return false
	}
	y, err := url.Parse(b)
	return err == nil && x.Scheme == y.Scheme && x.Host == y.Host
}

// vectorOf reads a vector.
func vectorOf(v value.Value) ([]float32, error) {
	out := make([]float32, v.Len())
	for i, it := range v.Items() {
		n, ok := it.Num()
		if !ok {
			return nil, fault.Newf(fault.Unavailable, "the provider sent a vector that is none")
		}
		out[i] = float32(n)
	}
	if len(out) == 0 {
		return nil, fault.Newf(fault.Unavailable, "the provider sent a vector that is none")
	}
	return out, nil
}
