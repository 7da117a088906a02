package storagetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// What is written is read, byte for byte, until it is written anew or deleted.
func roundTrip(f *fixture) {
	h := f.as("agent:a1")
	bodies := map[string][]byte{
		"empty": {}, "text": []byte("hello"), "binary": {0, 255, 10, 13, 0}, "large": bytes.Repeat([]byte("0123456789abcdef"), 1<<16),
	}
	for name, body := range bodies {
		for _, data := range [][]byte{[]byte("first"), body} {
			if err := h.Write(f.Context(), name, data, storage.Options{}); err != nil {
				f.Fatalf("Write(%q): %v", name, err)
			}
		}
		got, err := h.Read(f.Context(), name)
		if err != nil || !bytes.Equal(got, body) {
			f.Errorf("Read(%q) = %d bytes, %v, want %d bytes", name, len(got), err, len(body))
		}
		object, err := h.Open(f.Context(), name)
		if err != nil {
			f.Fatalf("Open(%q): %v", name, err)
		}
		streamed, err := io.ReadAll(object.Body)
		if err != nil || !bytes.Equal(streamed, body) || object.Size != int64(len(body)) || object.Name != name {
			f.Errorf("Open(%q) = %q with %d of %d bytes, %v, want %d bytes", name, object.Name, len(streamed), object.Size, err, len(body))
		}
		if err := object.Body.Close(); err != nil {
			f.Errorf("Close: %v", err)
		}
		info, err := h.Stat(f.Context(), name)
		if err != nil || info.Size != int64(len(body)) || info.Name != name || !info.Modified.Equal(f.env.Effects.Now()) {
			f.Errorf("Stat(%q) = %+v, %v, want %d bytes, changed now", name, info, err, len(body))
		}
		if err := h.Delete(f.Context(), name); err != nil {
			f.Errorf("Delete(%q): %v", name, err)
		}
		_, err = h.Read(f.Context(), name)
		f.wantKind("Read after Delete", err, fault.NotFound)
	}
	if err := h.WriteFrom(f.Context(), "streamed", io.MultiReader(strings.NewReader("a"), strings.NewReader("b")), storage.Options{}); err != nil {
		f.Errorf("WriteFrom: %v", err)
	}
	f.wantText("agent:a1", "streamed", "ab")
}

// An object that is not there is NotFound, and Exists says no.
func missing(f *fixture) {
	h := f.as("agent:a1")
	for _, op := range operations() {
		if op.name == "storage.write" || op.name == "storage.exists" {
			continue
		}
		f.wantKind(op.name, op.do(f.Context(), h, "missing"), fault.NotFound)
	}
	if got, err := h.Exists(f.Context(), "missing"); err != nil || got {
		f.Errorf("Exists = %v, %v, want false", got, err)
	}
	f.write("agent:a1", "there", "x", storage.Options{})
	if got, err := h.Exists(f.Context(), "there"); err != nil || !got {
		f.Errorf("Exists = %v, %v, want true", got, err)
	}
}

// No name meets another, however a connector lays them out.
func namesStandApart(f *fixture) {
	names := []string{
		"a", "a/b", "a/b/c", "a.obj", "a.d", "a.d/b.obj", "a.d/b", "a/b.obj", "local/a", "objects/a", ".hidden", "a b", "key:b", "a+b", "a%20b", "100%",
		"日本/語", strings.Repeat("x", storage.MaxSegment), strings.Repeat("s/", storage.MaxName/2-1) + "s", "teams/ta/x", "*", "a*",
	}
	for _, name := range names {
		f.write("agent:a1", name, "I am "+name, storage.Options{})
	}
	for _, name := range names {
		f.wantText("agent:a1", name, "I am "+name)
	}
	for i, name := range names {
		if err := f.as("agent:a1").Delete(f.Context(), name); err != nil {
			f.Errorf("Delete(%q): %v", name, err)
		}
		for _, other := range names[i+1:] {
			f.wantText("agent:a1", other, "I am "+other)
		}
	}
}

// traversal refuses every name that tries to get somewhere else, by every operation.
func traversal(f *fixture) {
	for _, name := range []string{
		"", ".", "..", "../x", "..\\x", "%2e%2e%2fx", "..%2fx", "/etc/passwd", "C:\\x", "\\\\?\\C:\\x", "a/../../x", "a\x00b", "a\nb", "a//b", "a/",
		strings.Repeat("x", 5000), strings.Repeat("x", storage.MaxSegment+1), strings.Repeat("s/", storage.MaxName) + "s",
		"CON", "nul.txt", "trailing.", "trailing ", "\u2024\u2024/x", "\uff0e\uff0e\uff0fx", ".local.metadata/x", "a/.LOCAL.metadata/x", "\xff",
	} {
		for _, op := range operations() {
			err := op.do(f.Context(), f.as("agent:a1"), name)
			if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != access.CodePathDenied {
				f.Errorf("%s of %.40q = %v, want INVALID with the code %s", op.name, name, err, access.CodePathDenied)
			}
		}
	}
	for _, prefix := range []string{"../", "..", "/", "a/../", "a/..\\", "\x00", "%2e%2e/"} {
		if list, err := f.as("agent:a1").List(f.Context(), prefix, storage.Page{}); err == nil && len(list.Objects) > 0 {
			f.Errorf("List(%q) = %v, want nothing", prefix, list.Objects)
		}
	}
	list, err := f.as("agent:a1").List(f.Context(), "", storage.Page{})
	if err != nil || len(list.Objects) != 0 {
		f.Errorf("List after all that = %v, %v, want nothing", list.Objects, err)
	}
}

// Metadata comes back as it went in; setting members leaves the others.
func metadata(f *fixture) {
	h := f.as("agent:a1")
	first := value.Obj(value.M("ContentType", value.Of("text/plain")), value.M("n", value.OfNumber(1.5)), value.M("deep", value.List(value.NullValue(), value.OfBool(true))))
	f.write("agent:a1", "x", "body", storage.Options{Metadata: first})
	f.wantMetadata("x", first)
	if err := h.SetMetadata(f.Context(), "x", value.Obj(value.M("n", value.Of("two")), value.M("new", value.OfInt(3)))); err != nil {
		f.Errorf("SetMetadata: %v", err)
	}
	f.wantMetadata("x", first.With("n", value.Of("two")).With("new", value.OfInt(3)))
	f.wantText("agent:a1", "x", "body")
	f.write("agent:a1", "x", "other", storage.Options{})
	f.wantMetadata("x", value.Obj())

	big := value.Obj(value.M("k", value.Of(strings.Repeat("x", storage.MaxMetadataBytes))))
	half := value.Obj(value.M("k", value.Of(strings.Repeat("x", storage.MaxMetadataBytes-100))))
	for name, c := range map[string]struct {
		metadata value.Value
		want     fault.Kind
	}{"a text": {value.Of("x"), fault.Invalid}, "the ACL": {value.Obj(value.M("acl", value.Of("h:none"))), fault.Invalid}, "too much": {big, fault.Limit}} {
		f.wantKind("Write with "+name, h.Write(f.Context(), "x", nil, storage.Options{Metadata: c.metadata}), c.want)
		f.wantKind("SetMetadata with "+name, h.SetMetadata(f.Context(), "x", c.metadata), c.want)
	}
	f.write("agent:a1", "x", "other", storage.Options{Metadata: half})
	f.wantKind("SetMetadata over the limit in sum", h.SetMetadata(f.Context(), "x", value.Obj(value.M("l", value.Of(strings.Repeat("y", 200))))), fault.Limit)
	f.wantMetadata("x", half)
	f.wantText("agent:a1", "x", "other")
}

func (f *fixture) wantMetadata(name string, want value.Value) {
	f.Helper()
	got, err := f.as("agent:a1").Metadata(f.Context(), name)
	if err != nil || !value.Equal(got, want) {
		f.Errorf("Metadata(%q) = %.200s, %v, want %.200s", name, got.JSON(), err, want.JSON())
	}
}

// An object whose time has passed is gone in every respect: for readers, for listings, and for who makes it anew.
func expiry(f *fixture) {
	h := f.as("agent:a1")
	f.write("agent:a1", "brief", "x", storage.Options{TTL: time.Minute})
	f.write("agent:a1", "later", "x", storage.Options{})
	f.write("agent:a1", "kept", "x", storage.Options{TTL: time.Minute})
	if err := h.Expire(f.Context(), "later", time.Minute); err != nil {
		f.Errorf("Expire: %v", err)
	}
	if err := h.Expire(f.Context(), "kept", 0); err != nil {
		f.Errorf("Expire: %v", err)
	}
	f.wantKind("Expire in the past", h.Expire(f.Context(), "kept", -1), fault.Invalid)
	f.wantKind("Write into the past", h.Write(f.Context(), "kept", nil, storage.Options{TTL: -1}), fault.Invalid)
	info, err := h.Stat(f.Context(), "brief")
	if want := f.env.Effects.Now().Add(time.Minute); err != nil || !info.Expires.Equal(want) {
		f.Errorf("Stat = expires %v, %v, want %v", info.Expires, err, want)
	}
	f.sleep(time.Minute - 1)
	f.wantText("agent:a1", "brief", "x")
	f.wantText("agent:a1", "later", "x")
	f.sleep(1)
	for _, name := range []string{"brief", "later"} {
		for _, op := range operations() {
			if op.name != "storage.write" && op.name != "storage.exists" {
				f.wantKind(op.name+" of an expired object", op.do(f.Context(), h, name), fault.NotFound)
			}
		}
	}
	f.wantText("agent:a1", "kept", "x")
	f.wantNames("agent:a1", "", "kept")
	f.write("agent:b1", "brief", "mine now", storage.Options{})
	f.wantText("agent:b1", "brief", "mine now")
	_, err = h.Read(f.Context(), "brief")
	f.wantKind("Read of what another made anew", err, fault.Denied)
}

func (f *fixture) sleep(d time.Duration) {
	f.Helper()
	if err := f.env.Effects.Sleep(f.Context(), d); err != nil {
		f.Fatal(err)
	}
}

// A body that fails changes nothing, and its error comes out.
func failingBody(f *fixture) {
	f.write("agent:a1", "x", "old", storage.Options{})
	broken := errors.New("cable pulled")
	for _, name := range []string{"x", "y"} {
		err := f.as("agent:a1").WriteFrom(f.Context(), name, io.MultiReader(strings.NewReader("half"), failing{broken}), storage.Options{})
		if !errors.Is(err, broken) {
			f.Errorf("WriteFrom(%q) = %v, want %v", name, err, broken)
		}
	}
	f.wantText("agent:a1", "x", "old")
	f.wantNames("agent:a1", "", "x")
}

type failing struct{ err error }

func (r failing) Read([]byte) (int, error) { return 0, r.err }

// An operation after the end of its context does nothing.
func canceled(f *fixture) {
	f.write("agent:a1", "x", "old", storage.Options{})
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	for _, op := range operations() {
		f.wantKind(op.name, op.do(ctx, f.as("agent:a1"), "x"), fault.Canceled)
	}
	_, err := f.as("agent:a1").List(ctx, "", storage.Page{})
	f.wantKind("storage.list", err, fault.Canceled)
	f.wantText("agent:a1", "x", "old")
}
