package llm

import (
	"context"
	"math"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/budget"
	"github.com/sre-go/sre/subsystem/llm/models"
)

// cost returns what was used in millionths of a US dollar, rounded up: nothing that is used is free by rounding.
func cost(p models.Prices, u Usage) int64 {
	sum := p.Input*float64(u.Input) + p.CacheRead*float64(u.CacheRead) + p.CacheWrite*float64(u.CacheWrite) + p.Output*float64(u.Output) +
		1e6*(p.Image*float64(u.Images)+p.Search*float64(u.Searches))
	return int64(math.Ceil(sum - 1e-9))
}

// bytesPerToken is less than what a token has of any text, so that an estimate by it is never too low for ordinary text.
const bytesPerToken = 3

// What a picture is taken for, in tokens: providers count those that they are shown and those that they make by size.
const (
	perFile  = 1500
	perImage = 6500
)

// estimate returns how many tokens a request has, at most about.
func estimate(req *Request) int {
	bytes, files := 0, 0
	for _, m := range req.Messages {
		bytes += 16
		for _, part := range m.Content {
			switch p := part.(type) {
			case Text:
				bytes += len(p.Text) + len(p.Signature)
			case Thinking:
				bytes += len(p.Text) + len(p.Signature) + len(p.Sealed)
			case ToolCall:
				bytes += len(p.Name) + len(p.Arguments) + 16
			case ToolResult:
				bytes += len(p.Text) + 16
			case File, Image:
				files++
			}
		}
	}
	for _, t := range req.Tools {
		bytes += len(t.Name) + len(t.Description) + len(t.Parameters.JSON())
	}
	return bytes/bytesPerToken + files*perFile + 1
}

// bill is what a call may use, reserved in the budgets of its context.
type bill struct {
	hold   *budget.Hold // nil without budgets
	prices models.Prices
	input  int // tokens, estimated
}

// reserve reserves what a call may use at most. An answer is made shorter when only that much is left.
func (h *Handle) reserve(ctx context.Context, call *Call) (bill, error) {
	prices, err := h.service.models.For(h.candidate).Prices(ctx, &call.Target)
	b := bill{prices: prices}
	set := budget.Of(ctx)
	if set.Empty() {
		return b, nil // what it costs is told when it is known
	}
	if err != nil {
		return b, err
	}
	now := h.service.clock.Now()
	b.input = estimate(&call.Request)
	if room := set.Room(now); room >= 0 && room > int64(b.input) {
		call.MaxTokens = int(min(int64(call.MaxTokens), room-int64(b.input)))
	}
	most := Usage{Input: b.input, Output: call.MaxTokens}
	b.hold, err = set.Reserve(now, budget.Amount{Tokens: int64(most.Input + most.Output), Micros: cost(dearInput(prices), most), Calls: 1})
	if err != nil && !prices.Known && fault.CodeOf(err) == "BUDGET_EXCEEDED(money)" {
		err = fault.Hint(err, "the price of the model %s is not known, so it counts as the dearest one; set prices in its entry", call.Target.ID)
	}
	return b, err
}

// reserveOther reserves what a call may use at most that makes vectors or images.
func (h *Handle) reserveOther(ctx context.Context, target *models.Model, most Usage) (bill, error) {
	prices, err := h.service.models.For(h.candidate).Prices(ctx, target)
	b := bill{prices: prices, input: most.Input}
	set := budget.Of(ctx)
	if set.Empty() {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	b.hold, err = set.Reserve(h.service.clock.Now(), budget.Amount{Tokens: int64(most.Input + most.Output), Micros: cost(dearInput(prices), most), Calls: 1})
	return b, err
}

// dearInput takes all input for the dearest kind: what the cache will hold is not known before.
func dearInput(p models.Prices) models.Prices {
	p.Input = max(p.Input, p.CacheRead, p.CacheWrite)
	return p
}

// settle says what a call did use. A provider that was asked and did not tell is taken at the estimate.
func (b *bill) settle(used Usage, answered bool, text int) (_ Usage, estimated bool) {
	if used == (Usage{}) && answered && b.hold != nil {
		used, estimated = Usage{Input: b.input, Output: text/bytesPerToken + 1}, true
	}
	if b.hold != nil {
		b.hold.Settle(budget.Amount{
			Tokens: int64(used.Input + used.CacheRead + used.CacheWrite + used.Output), Micros: cost(b.prices, used), Calls: 1,
		})
	}
	return used, estimated
}
