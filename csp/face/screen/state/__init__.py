"""What pages keep between draws: cached answers, the review store, work they wait for."""
