package web

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/textproto"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/internal/infer"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/value"
)

// only returns the token of a text that is one placeholder and nothing else.
func only(t *template.Template) (token string, ok bool) {
	tokens := t.Tokens()
	if len(tokens) != 1 || strings.TrimSpace(t.Source()) != "{{"+tokens[0]+"}}" {
		return "", false
	}
	return tokens[0], true
}

// files returns the files that a value stands for: file objects, and whatever an input of a file type holds. ok is false
// for a value that stands for none.
func (t *texts) files(ctx context.Context, token string, v value.Value) (files []binary.File, ok bool, err error) {
	switch {
	case binary.IsObject(v), v.IsArray() && v.Len() > 0 && allObjects(v), v.Truthy() && t.isFilePort(token):
		files, err = binary.From(ctx, t.call, v, token)
		return files, true, err
	}
	return nil, false, nil
}

func allObjects(v value.Value) bool {
	for _, it := range v.Items() {
		if !binary.IsObject(it) {
			return false
		}
	}
	return true
}

func (t *texts) isFilePort(name string) bool {
	for i := range t.in.Ports {
		if p := &t.in.Ports[i]; p.Name == name {
			return p.IsFile || infer.TypeOf(p.Type).IsBinary()
		}
	}
	return false
}

// binary is the body that is one file: what the placeholder of the text holds. Anything else sends nothing.
func (t *texts) binary(ctx context.Context, text string) (body, error) {
	r, err := t.open(ctx, text, false)
	if err != nil {
		return body{}, err
	}
	tokens := r.Tokens()
	if len(tokens) == 0 {
		return body{}, nil
	}
	files, ok, err := t.files(ctx, tokens[0], r.Raw(t.lookup))
	if err != nil || !ok || len(files) == 0 {
		return body{}, err
	}
	f := files[0]
	return body{data: f.Data, contentType: f.MIME, log: "[Buffer size=" + value.FormatNumber(float64(len(f.Data))) + "]"}, nil
}

// multipart is a form with files. Fields without text are left out.
func (t *texts) multipart(ctx context.Context, v value.Value) (body, error) {
	fields, ok := t.object(ctx, v)
	if !ok {
		return body{}, fault.Newf(fault.Invalid, "the body of multipart/form-data is to be an object, with a member for each field")
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	if err := w.SetBoundary("sre" + t.call.Effects.NewID()); err != nil {
		return body{}, fault.New(fault.Internal, err)
	}
	out := body{isForm: true, log: "[FormData]"}
	for _, m := range fields.Members() {
		name, err := t.fill(ctx, m.Key)
		if err != nil {
			return body{}, err
		}
		if err := t.field(ctx, w, &out, name, m.Value); err != nil {
			return body{}, err
		}
		if most := limits.Default().UploadBytes; buf.Len() > most {
			return body{}, fault.Limitf(limits.UploadBytes, "LIMIT_EXCEEDED(%s): the form has more than %d bytes", limits.UploadBytes, most)
		}
	}
	if err := w.Close(); err != nil {
		return body{}, fault.New(fault.Internal, err)
	}
	out.data, out.contentType = buf.Bytes(), w.FormDataContentType()
	return out, nil
}

// field writes one field: the files that it stands for, or its text.
func (t *texts) field(ctx context.Context, w *multipart.Writer, out *body, name string, v value.Value) error {
	if err := plainField("the name of a field", name); err != nil {
		return err
	}
	text, isText := v.Str()
	if isText {
		r, err := t.open(ctx, text, false)
		if err != nil {
			return err
		}
		token := ""
		if tokens := r.Tokens(); len(tokens) > 0 {
			token = tokens[0]
		}
		raw := r.Raw(t.lookup)
		files, ok, err := t.files(ctx, token, raw)
		if err != nil {
			return err
		}
		if ok {
			return writeFiles(w, name, raw, files)
		}
		if _, alone := only(r.Template); alone && (raw.IsObject() || raw.IsArray()) {
			return fault.Newf(fault.Invalid, "source.on is not a function") // as recorded: a value that is neither text nor file
		}
		if text, err = r.Expand(t.lookup, template.Options{Bare: true, Clean: true}); err != nil {
			return err
		}
	} else {
		if files, ok, err := t.files(ctx, "", v); err != nil || ok {
			if err == nil {
				err = writeFiles(w, name, v, files)
			}
			return err
		}
		filled, err := t.fillAll(ctx, v)
		if err != nil {
			return err
		}
		text = filled.Plain()
	}
	if text == "" || v.IsNil() {
		return nil
	}
	out.form = append(out.form, pair{name, text})
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + quoted(name) + `"`}})
	if err == nil {
		_, err = part.Write([]byte(text))
	}
	return fault.New(fault.Internal, err)
}

// writeFiles writes files under the names that their objects say.
func writeFiles(w *multipart.Writer, field string, v value.Value, files []binary.File) error {
	for i, f := range files {
		name := v.GetString("name")
		if v.IsArray() {
			name = v.At(i).GetString("name")
		}
		if name == "" {
			name = field
		}
		if err := plainField("the name of a file", name); err != nil {
			return err
		}
		mime := f.MIME
		if mime == "" {
			mime = "application/octet-stream"
		}
		if err := plainField("the type of a file", mime); err != nil {
			return err
		}
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="` + quoted(field) + `"; filename="` + quoted(name) + `"`}, "Content-Type": {mime},
		})
		if err == nil {
			_, err = part.Write(f.Data)
		}
		if err != nil {
			return fault.New(fault.Internal, err)
		}
	}
	return nil
}

// plainField refuses what would begin another line of the form.
func plainField(what, s string) error {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return nil
	}
	err := fault.Newf(fault.Invalid, "%s in the form holds a line break or another control character", what)
	return fault.Hint(err, "take it out of the value")
}

// quoted escapes what would end a quoted name of a form, as browsers do.
func quoted(s string) string { return strings.ReplaceAll(s, `"`, "%22") }
