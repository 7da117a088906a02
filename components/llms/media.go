package llms

import (
	"context"
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

// media are the kinds of files that models of a provider may be shown, by what the model needs to be able to.
type media []struct {
	feature string
	types   []string
}

// pictures are the images that most providers take.
func pictures() []string {
	return []string{"image/png", "image/jpeg", "image/jpg", "image/webp", "image/gif"}
}

// mediaOf returns the kinds of a provider.
func mediaOf(provider string) media {
	switch strings.ToLower(provider) {
	case "googleai", "vertexai":
		return media{
			{models.FeatureImage, []string{"image/png", "image/jpeg", "image/jpg", "image/webp", "image/heic", "image/heif"}},
			{models.FeatureVideo, []string{"video/mp4", "video/mpeg", "video/mov", "video/avi", "video/x-msvideo", "video/x-flv", "video/mpg", "video/webm", "video/wmv", "video/3gpp"}},
			{models.FeatureAudio, []string{"audio/wav", "audio/mp3", "audio/mpeg", "audio/aiff", "audio/aac", "audio/ogg", "audio/flac"}},
			{models.FeatureDocument, []string{
				"application/pdf", "application/x-javascript", "text/javascript", "application/x-typescript", "text/x-typescript", "application/x-python", "text/x-python",
				"application/json", "application/rtf", "text/plain", "text/html", "text/css", "text/csv", "text/markdown", "text/xml",
			}},
		}
	case "groq", "togetherai", "ollama", "xai", "openrouter":
		return media{{models.FeatureImage, pictures()}}
	}
	return media{{models.FeatureImage, pictures()}, {models.FeatureDocument, []string{"application/pdf"}}}
}

// featureOf is what a model needs to be able to for a type of file, "" when the provider does not take it.
func (m media) featureOf(mime string) string {
	for _, kind := range m {
		if slices.Contains(kind.types, mime) {
			return kind.feature
		}
	}
	return ""
}

func (m media) all() []string {
	var out []string
	for _, kind := range m {
		out = append(out, kind.types...)
	}
	return out
}

// files returns the files of the inputs that the model is shown: those of the types that hold files, as far as the model
// can look at them. When it can look at none of them that is an error.
func (a *asking) files(ctx context.Context) ([]llm.File, error) {
	if a.info.Literal {
		return nil, nil
	}
	var given []binary.File
	for i, p := range a.in.Ports {
		switch p.Type {
		case "Image", "Audio", "Video", "Binary":
			found, err := readFiles(ctx, a, a.in.Values[i], p.Name)
			if err != nil {
				return nil, err
			}
			given = append(given, found...)
		}
	}
	return a.fitting(given)
}

// readFiles reads what an input of files holds: one, or a list. What says nothing is no file.
func readFiles(ctx context.Context, a *asking, v value.Value, name string) ([]binary.File, error) {
	if v.IsArray() {
		var out []binary.File
		for _, it := range v.Items() {
			found, err := readFiles(ctx, a, it, name)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
		return out, nil
	}
	if !v.Truthy() {
		return nil, nil
	}
	return binary.From(ctx, a.call, v, name)
}

// fitting returns the files that the model can look at.
func (a *asking) fitting(given []binary.File) ([]llm.File, error) {
	if len(given) == 0 {
		return nil, nil
	}
	kinds := mediaOf(a.info.Model.Provider)
	var fit []llm.File
	var types []string
	for _, f := range given {
		if f.MIME != "" && !slices.Contains(types, f.MIME) {
			types = append(types, f.MIME)
		}
		if feature := kinds.featureOf(f.MIME); feature != "" && a.info.Model.Has(feature) {
			fit = append(fit, llm.File{MIME: f.MIME, Name: f.Name, Data: f.Data})
		}
	}
	switch {
	case len(fit) > 0:
		return fit, nil
	case len(types) == 0:
		return nil, fault.Newf(fault.Invalid, "Unable to process the provided file(s). Please ensure file(s) are not corrupted, have valid formats, and contain readable data.")
	}
	return nil, fault.Newf(fault.Invalid, "Model '%s' does not support the provided file type(s): %s.\nSupported types: %s", a.model, strings.Join(types, ", "), strings.Join(kinds.all(), ", "))
}
