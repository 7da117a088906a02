package binary

import (
	"net/http"
	"path"
	"strings"
)

// kinds are the content types with the ending of their files; the first ending of a type is the one given to new files.
func kinds() [][2]string {
	return [][2]string{
		{"text/plain", "txt"}, {"text/html", "html"}, {"text/css", "css"}, {"text/csv", "csv"}, {"text/markdown", "md"}, {"text/xml", "xml"},
		{"text/javascript", "js"}, {"application/json", "json"}, {"application/xml", "xml"}, {"application/pdf", "pdf"}, {"application/zip", "zip"},
		{"application/gzip", "gz"}, {"application/msword", "doc"}, {"application/octet-stream", "bin"},
		{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
		{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
		{"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
		{"image/png", "png"}, {"image/jpeg", "jpg"}, {"image/jpeg", "jpeg"}, {"image/gif", "gif"}, {"image/webp", "webp"}, {"image/bmp", "bmp"},
		{"image/svg+xml", "svg"}, {"image/avif", "avif"}, {"image/tiff", "tiff"}, {"image/x-icon", "ico"}, {"image/heic", "heic"},
		{"audio/mpeg", "mp3"}, {"audio/wav", "wav"}, {"audio/wave", "wav"}, {"audio/ogg", "ogg"}, {"audio/flac", "flac"}, {"audio/aac", "aac"}, {"audio/mp4", "m4a"},
		{"video/mp4", "mp4"}, {"video/webm", "webm"}, {"video/quicktime", "mov"}, {"video/x-msvideo", "avi"}, {"video/mpeg", "mpeg"},
	}
}

// endingOf returns the ending of files of a content type, "" when it is not known.
func endingOf(mime string) string {
	for _, k := range kinds() {
		if k[0] == mime {
			return k[1]
		}
	}
	return ""
}

// byEnding returns the content type that the ending of a name tells.
func byEnding(name string) string {
	ending := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	for _, k := range kinds() {
		if ending != "" && k[1] == ending {
			return k[0]
		}
	}
	return ""
}

// byContent returns the content type that the first bytes tell, "" when they tell nothing.
func byContent(data []byte) string {
	mime := bare(http.DetectContentType(data))
	if mime == "application/octet-stream" || mime == "text/plain" {
		return ""
	}
	return mime
}

func mimeOf(name string, data []byte) string {
	if m := byEnding(name); m != "" {
		return m
	}
	return byContent(data)
}

// bare is a content type without its parameters, in lower case.
func bare(mime string) string {
	mime, _, _ = strings.Cut(mime, ";")
	return strings.ToLower(strings.TrimSpace(mime))
}

// withEnding gives a name the ending of its content type, unless it has it already or there is none.
func withEnding(name, mime string) string {
	ending := endingOf(mime)
	if ending == "" || byEnding(name) == mime {
		return name
	}
	return name + "." + ending
}
