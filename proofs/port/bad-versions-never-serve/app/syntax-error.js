const broken = {;
