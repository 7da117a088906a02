package httpserver

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// multipart reads a form with files. Texts become members of the body, as in a form without files; files stay files.
func (x *exchange) multipart(boundary string) (value.Value, []component.File, error) {
	l := &x.cfg.Limits
	if x.r.ContentLength > int64(l.UploadBytes) {
		return value.Value{}, nil, tooLarge(limits.UploadBytes, l.UploadBytes)
	}
	body := http.MaxBytesReader(x.w, x.r.Body, int64(l.UploadBytes))
	v, files, err := readMultipart(body, boundary, l)
	if err == nil {
		_, err = io.Copy(io.Discard, body) // what follows the last part: nothing counts as read before its end
	}
	var classified *fault.Error
	switch {
	case err == nil:
		return v, files, nil
	case errors.As(err, &classified):
		return value.Value{}, nil, err
	}
	return value.Value{}, nil, readError(err, limits.UploadBytes, l.UploadBytes)
}

// readMultipart reads the parts of a form. Errors of the reader are returned as they are, unclassified.
func readMultipart(body io.Reader, boundary string, l *limits.Limits) (value.Value, []component.File, error) {
	if boundary == "" || len(boundary) > 70 {
		return value.Value{}, nil, unsupported("the form with files has no boundary, or too long a one")
	}
	texts := form{limit: l.FormFields}
	var files []component.File
	parts := multipart.NewReader(body, boundary)
	for {
		part, err := parts.NextPart()
		if err == io.EOF { //nolint:errorlint // a form that breaks off wraps it
			return texts.value(), files, nil
		}
		if err != nil {
			return value.Value{}, nil, err
		}
		name := part.FormName()
		if name == "" {
			err := fault.Newf(fault.Invalid, "a part of the form has no name")
			return value.Value{}, nil, fault.Hint(err, `give it one: Content-Disposition: form-data; name="file"`)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return value.Value{}, nil, err
		}
		switch {
		case part.FileName() == "":
			err = texts.add(name, string(data))
		case len(files) == l.UploadFiles:
			err = fault.Limitf(limits.UploadFiles, "LIMIT_EXCEEDED(%s): a request has at most %d files", limits.UploadFiles, l.UploadFiles)
		default:
			files = append(files, component.File{Field: name, Name: part.FileName(), MIME: mediaType(part.Header.Get("Content-Type")), Data: data})
		}
		if err != nil {
			return value.Value{}, nil, err
		}
	}
}

// mediaType returns the media type of a file as the client gave it, without parameters.
func mediaType(sent string) string {
	kind, _, err := mime.ParseMediaType(sent)
	if err != nil || kind == "" {
		return "application/octet-stream"
	}
	return kind
}
