package openaillm

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"iter"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// MakeImages implements [llm.ImageMaker]: with files it changes them, without it makes new ones.
func (c *client) MakeImages(ctx context.Context, call *llm.ImageCall) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		answer, err := c.images(ctx, call)
		if err == nil {
			err = pictures(answer, yield)
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func (c *client) images(ctx context.Context, call *llm.ImageCall) (*openai.ImagesResponse, error) {
	if !c.habits.images {
		return nil, fault.Newf(fault.Unsupported, "%s makes no images", c.habits.provider)
	}
	ctx, opts, err := c.prepare(ctx, &call.Target, call.Credential)
	if err != nil {
		return nil, err
	}
	service := openai.NewImageService(opts...)
	count := param.NewOpt(int64(max(1, call.Count)))
	var answer *openai.ImagesResponse
	if len(call.Files) == 0 {
		p := openai.ImageGenerateParams{
			Prompt: call.Prompt, Model: call.Target.ModelID, N: count, Size: openai.ImageGenerateParamsSize(call.Size),
			Quality: openai.ImageGenerateParamsQuality(call.Quality), Style: openai.ImageGenerateParamsStyle(call.Style),
		}
		if call.Extra.Len() > 0 {
			p.SetExtraFields(object(call.Extra))
		}
		answer, err = service.Generate(ctx, p)
	} else {
		p := openai.ImageEditParams{
			Prompt: call.Prompt, Model: call.Target.ModelID, N: count, Size: openai.ImageEditParamsSize(call.Size), Quality: openai.ImageEditParamsQuality(call.Quality),
		}
		for _, f := range call.Files {
			p.Image.OfFileArray = append(p.Image.OfFileArray, upload(f))
		}
		if call.Mask != nil {
			p.Mask = upload(*call.Mask)
		}
		answer, err = service.Edit(ctx, p)
	}
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	return answer, nil
}

// upload is a file with the name and type that the SDK sends.
func upload(f llm.File) io.Reader {
	name := f.Name
	if name == "" {
		name = "image.png"
	}
	return openai.File(bytes.NewReader(f.Data), name, f.MIME)
}

func pictures(answer *openai.ImagesResponse, yield func(llm.Part, error) bool) error {
	for i := range answer.Data {
		d := &answer.Data[i]
		picture := llm.Image{URL: d.URL, Prompt: d.RevisedPrompt}
		if d.B64JSON != "" {
			data, err := base64.StdEncoding.DecodeString(d.B64JSON)
			if err != nil {
				return fault.Newf(fault.Unavailable, "the provider sent an image that is none")
			}
			picture.Data, picture.MIME = data, http.DetectContentType(data)
		}
		if !yield(picture, nil) {
			return nil
		}
	}
	used := llm.Usage{Input: int(answer.Usage.InputTokens), Output: int(answer.Usage.OutputTokens), Images: len(answer.Data)}
	if !yield(used, nil) {
		return nil
	}
	yield(llm.Finish{Reason: llm.Stop, Raw: "stop"}, nil)
	return nil
}

var _ llm.ImageMaker = (*client)(nil)
