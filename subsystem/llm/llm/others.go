package llm

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
)

// Embed turns texts into vectors, within the time that the limits allow for an answer. A provider without embeddings
// refuses as [fault.Unsupported].
func (h *Handle) Embed(ctx context.Context, req EmbedRequest) (Embeddings, error) {
	const op = "llm.embed"
	m, p, err := h.target(ctx, req.Model, nil)
	if err != nil {
		return Embeddings{}, h.wrap(op, p, req.Model, err)
	}
	e, ok := p.conn.(Embedder)
	if !ok {
		return Embeddings{}, h.wrap(op, p, req.Model, fault.Newf(fault.Unsupported, "%s makes no embeddings", p.id))
	}
	call := &EmbedCall{EmbedRequest: req, Target: m}
	if call.Credential, err = h.credential(ctx, &m, secret.Value{}); err != nil {
		return Embeddings{}, h.wrap(op, p, req.Model, err)
	}
	length := 0
	for _, text := range req.Texts {
		length += len(text)
	}
	bill, err := h.reserveOther(ctx, &m, Usage{Input: length/bytesPerToken + len(req.Texts)})
	if err != nil {
		return Embeddings{}, h.wrap(op, p, req.Model, err)
	}
	limit := h.service.limits.ModelTime
	timed, cancel := context.WithTimeoutCause(ctx, limit, late(limits.ModelTime, "the vectors were not complete after %s", limit))
	defer cancel()
	got, err := e.Embed(timed, call)
	if err != nil {
		err = ended(timed, err)
	}
	used, estimated := bill.settle(got.Usage, err == nil, 0)
	h.publish(ctx, &m, p, used, estimated, call.Credential)
	if err == nil && len(got.Vectors) != len(req.Texts) {
		err = fault.Newf(fault.Unavailable, "the provider sent %d vectors for %d texts", len(got.Vectors), len(req.Texts))
	}
	if err != nil {
		return Embeddings{}, h.wrap(op, p, req.Model, err)
	}
	return got, nil
}

// MakeImages makes images, or changes those of the request, under the rules of [Handle.Stream], but no other model is
// asked when this one fails. A provider without images refuses as [fault.Unsupported].
func (h *Handle) MakeImages(ctx context.Context, req ImageRequest) iter.Seq2[Part, error] {
	const op = "llm.image"
	var ranged atomic.Bool
	return func(yield func(Part, error) bool) {
		stopped := false
		err := func() error {
			if ranged.Swap(true) {
				return h.wrap(op, provider{}, req.Model, fault.Newf(fault.Invalid, "an answer can be read once"))
			}
			m, p, err := h.target(ctx, req.Model, req.Inline)
			if err != nil {
				return h.wrap(op, p, req.Model, err)
			}
			maker, ok := p.conn.(ImageMaker)
			if !ok {
				return h.wrap(op, p, req.Model, fault.Newf(fault.Unsupported, "%s makes no images", p.id))
			}
			call := &ImageCall{ImageRequest: req, Target: m}
			if call.Credential, err = h.credential(ctx, &m, secret.Value{}); err != nil {
				return h.wrap(op, p, req.Model, err)
			}
			bill, err := h.reserveOther(ctx, &m, Usage{Input: len(req.Prompt)/bytesPerToken + perFile*len(req.Files) + 1, Output: perImage * max(req.Count, 1), Images: max(req.Count, 1)})
			if err != nil {
				return h.wrap(op, p, req.Model, err)
			}
			var used Usage
			made := 0
			err = watch(ctx, &h.service.limits, func(ctx context.Context) iter.Seq2[Part, error] { return maker.MakeImages(ctx, call) }, func(part Part) bool {
				switch v := part.(type) {
				case Usage:
					used = v
				case Image:
					made++
				case Finish:
					v.Model = m.ID
					part = v
				}
				stopped = !yield(part, nil)
				return !stopped
			})
			if used == (Usage{}) && made > 0 {
				used.Images = made // told by what arrived
			}
			used, estimated := bill.settle(used, made > 0, 0)
			h.publish(ctx, &m, p, used, estimated, call.Credential)
			if err != nil {
				return h.wrap(op, p, req.Model, err)
			}
			return nil
		}()
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}
